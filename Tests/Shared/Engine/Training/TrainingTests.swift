import Synchronization
import TestSupport
import Testing
import Threads

@testable import Engine

@Suite("Training")
struct TrainingTests {
    private final class Recorder: Sendable {
        let checkpoints = Lock<[TrainingCheckpoint]>([])
        let steps = Lock<[TrainingEvent.StepMetrics]>([])

        func record(_ event: TrainingEvent) -> TrainingDecision {
            switch event {
            case .checkpoint(let checkpoint): checkpoints.withLock { $0.append(checkpoint) }
            case .step(let metrics): steps.withLock { $0.append(metrics) }
            case .evaluation: break
            }
            return .proceed
        }
    }

    @Test("full training learns a rule")
    func fullLearns() async throws {
        let pool = try ComputePool(threads: 2)
        let trainer = try FullTrainer(configuration: TinyModels.configuration, options: TinyModels.options(steps: 60), pool: pool)
        let (model, outcome) = try await trainer.train(TinyModels.rows(40), holdOut: TinyModels.rows(8, seed: 77))
        #expect(outcome.end == .finished)
        #expect(outcome.steps == 60)
        let before = try #require(outcome.evaluations.first), after = try #require(outcome.evaluations.last)
        #expect(before.step == 0)
        #expect(abs(before.loss - 3.367) < 0.1, "a fresh model knows nothing: log 29")
        #expect(after.loss < before.loss * 0.5)
        #expect(after.tokenAccuracy > before.tokenAccuracy)
        let evaluation = try await model.evaluate(TinyModels.rows(8, seed: 77), pool: pool)
        #expect(abs(Float(evaluation.loss) - after.loss) < 1e-5)
    }

    @Test("the same run gives the same bytes with one thread and with three")
    func threadsDoNotMatter() async throws {
        var results: [[Float]] = []
        for threads in [1, 3, 3] {
            let trainer = try FullTrainer(
                configuration: TinyModels.configuration, options: TinyModels.options(), pool: ComputePool(threads: threads))
            results.append(try await trainer.train(TinyModels.rows(20)).model.allValues)
        }
        #expect(results[0] == results[1])
        #expect(results[1] == results[2])
    }

    @Test("another seed gives other bytes")
    func seedMatters() async throws {
        let pool = try ComputePool(threads: 1), model = try TinyModels.model()
        var results: [[Float]] = []
        for seed in [1, 2] as [UInt64] {
            var options = TinyModels.options(steps: 3)
            options.seed = seed
            let trainer = try LoRATrainer(model: model, lora: LoRAOptions(rank: 2, alpha: 4), options: options, pool: pool)
            results.append(try await trainer.train(TinyModels.rows(20)).adapter.parameters.values)
        }
        #expect(results[0] != results[1])
    }

    @Test("an adapter learns over every precision of the base, the base stays", arguments: WeightPrecision.allCases)
    func adapterLearns(_ precision: WeightPrecision) async throws {
        let model = try TinyModels.model().converted(to: precision), pool = try ComputePool(threads: 2)
        let before = model.allValues
        var options = TinyModels.options(steps: 40)
        options.learningRate = 3e-2
        let trainer = try LoRATrainer(model: model, lora: LoRAOptions(rank: 4, alpha: 8), options: options, pool: pool)
        let (adapter, outcome) = try await trainer.train(TinyModels.rows(30), holdOut: TinyModels.rows(6, seed: 3))
        let first = try #require(outcome.evaluations.first).loss, last = try #require(outcome.evaluations.last).loss
        #expect(last < first * 0.6, "\(first) → \(last)")
        #expect(model.allValues == before)
        #expect(try await model.evaluate(TinyModels.rows(6, seed: 3), adapter: adapter, pool: pool).loss < Double(first))
    }

    @Test("an adapter trained at one fused level has the same bytes at another")
    func levelsAgree() async throws {
        var results: [[Float]] = []
        for level in KernelLevel.available where level != .baseline {
            let trainer = try LoRATrainer(
                model: TinyModels.model(), lora: LoRAOptions(rank: 3, alpha: 6), options: TinyModels.options(steps: 5),
                pool: ComputePool(threads: 2, level: level))
            let (adapter, outcome) = try await trainer.train(TinyModels.rows(12))
            #expect(outcome.kernelLevel == level)
            results.append(adapter.parameters.values)
        }
        for result in results { #expect(result == results[0]) }
    }

    @Test("a run resumed from any checkpoint ends in the same bytes, through a file", arguments: [nil, 2] as [Int?])
    func resume(patience: Int?) async throws {
        let folder = try TemporaryFolder("checkpoint"), pool = try ComputePool(threads: 2), model = try TinyModels.model()
        var options = TinyModels.options(steps: 13)
        options.patience = patience
        let trainer = try LoRATrainer(model: model, lora: LoRAOptions(rank: 2, alpha: 4), options: options, pool: pool)
        let recorder = Recorder()
        let rows = TinyModels.rows(15), holdOut = TinyModels.rows(4, seed: 8)
        let whole = try await trainer.train(rows, holdOut: holdOut) { recorder.record($0) }
        let checkpoints = recorder.checkpoints.withLock { $0 }
        #expect(checkpoints.map(\.step) == [5, 10])
        for checkpoint in checkpoints {
            let path = folder.path("state.safetensors")
            try checkpoint.write(to: path)
            let read = try TrainingCheckpoint(path: path)
            #expect(read == checkpoint)
            let resumed = try await trainer.train(rows, holdOut: holdOut, resume: read)
            #expect(resumed.adapter.parameters.values == whole.adapter.parameters.values)
            #expect(resumed.outcome.evaluations == whole.outcome.evaluations)
            #expect(resumed.outcome.tokens == whole.outcome.tokens)
            #expect(resumed.outcome.keptStep == whole.outcome.keptStep)
        }
    }

    @Test("a pause gives a checkpoint to go on from, a cancel ends the run")
    func pauseAndCancel() async throws {
        let pool = try ComputePool(threads: 1)
        let trainer = try FullTrainer(configuration: TinyModels.configuration, options: TinyModels.options(steps: 9), pool: pool)
        let rows = TinyModels.rows(10)
        let whole = try await trainer.train(rows)
        let paused = try await trainer.train(rows) { event in
            if case .step(let metrics) = event, metrics.step == 4 { .pause } else { .proceed }
        }
        #expect(paused.outcome.end == .paused)
        #expect(paused.outcome.steps == 4)
        let resumed = try await trainer.train(rows, resume: paused.outcome.checkpoint)
        #expect(resumed.model.allValues == whole.model.allValues)
        await #expect(throws: EngineError.cancelled) {
            try await trainer.train(rows) { event in if case .step = event { .cancel } else { .proceed } }
        }
    }

    @Test("a checkpoint of another run, of other data or with damaged bytes is refused")
    func foreignCheckpoint() async throws {
        let pool = try ComputePool(threads: 1), model = try TinyModels.model(), recorder = Recorder()
        let rows = TinyModels.rows(10)
        let trainer = try LoRATrainer(model: model, lora: LoRAOptions(rank: 2, alpha: 4), options: TinyModels.options(), pool: pool)
        _ = try await trainer.train(rows) { recorder.record($0) }
        let checkpoint = try #require(recorder.checkpoints.withLock { $0.first })
        await #expect(throws: EngineError.self) { try await trainer.train(TinyModels.rows(11), resume: checkpoint) }
        let other = try LoRATrainer(model: model, lora: LoRAOptions(rank: 3, alpha: 4), options: TinyModels.options(), pool: pool)
        await #expect(throws: EngineError.self) { try await other.train(rows, resume: checkpoint) }
        let folder = try TemporaryFolder("checkpoint")
        try SafeTensorsWriter.write([], metadata: ["kind": "something"], to: folder.path("x.safetensors"))
        #expect(throws: EngineError.self) { try TrainingCheckpoint(path: folder.path("x.safetensors")) }
    }

    @Test("training stops when the hold-out no longer improves and keeps the best parameters")
    func earlyStop() async throws {
        var options = TinyModels.options(steps: 400)
        options.learningRate = 0.05
        options.schedule = .constant
        options.evaluateEvery = 2
        options.patience = 3
        let pool = try ComputePool(threads: 2)
        let trainer = try FullTrainer(configuration: TinyModels.configuration, options: options, pool: pool)
        // A hold-out that contradicts the rows: soon it gets worse.
        let holdOut = TinyModels.rows(6, seed: 4).map { TrainingExample(tokens: $0.tokens.reversed(), lossFrom: 2) }
        let (model, outcome) = try await trainer.train(TinyModels.rows(12), holdOut: holdOut)
        #expect(outcome.end == .stoppedEarly)
        #expect(outcome.steps < 400)
        let best = try #require(outcome.evaluations.min { $0.loss < $1.loss })
        #expect(outcome.keptStep == best.step)
        #expect(abs(Float(try await model.evaluate(holdOut, pool: pool).loss) - best.loss) < 1e-5)
    }

    @Test(
        "the parameters at half way are the same wherever a run was interrupted, and a checkpoint of the end is one",
        arguments: [1, 3, 4, 6])
    func halfWay(_ stop: Int) async throws {
        let pool = try ComputePool(threads: 1), model = try TinyModels.model(), rows = TinyModels.rows(20)
        var options = TinyModels.options(steps: 7)
        options.keepsHalf = true
        let trainer = try LoRATrainer(model: model, lora: LoRAOptions(rank: 2, alpha: 4), options: options, pool: pool)
        let whole = try await trainer.train(rows)
        let half = try #require(whole.outcome.half).parameters.values
        #expect(half != whole.adapter.parameters.values)
        let paused = try await trainer.train(rows) { event in
            if case .step(let step) = event, step.step == stop { return .pause }
            return .proceed
        }
        #expect((paused.outcome.half == nil) == (stop < 4), "4 is half of 7, rounded up")
        // By way of the file, as another runner reads it.
        let folder = try TemporaryFolder("half-way"), path = folder.path + "/checkpoint.bin"
        try #require(paused.outcome.checkpoint).write(to: path)
        let resumed = try await trainer.train(rows, resume: try TrainingCheckpoint(path: path))
        #expect(resumed.outcome.half?.parameters.values == half)
        #expect(resumed.adapter.parameters.values == whole.adapter.parameters.values)
        let end = try #require(whole.outcome.checkpoint)
        #expect(end.step == 7)
        let nothingLeft = try await trainer.train(rows, resume: end)
        #expect(nothingLeft.outcome.half?.parameters.values == half && nothingLeft.outcome.finalLoss == whole.outcome.finalLoss)
        #expect(nothingLeft.adapter.parameters.values == whole.adapter.parameters.values)
        // One that passed half way without keeping it is no beginning.
        options.keepsHalf = false
        let plain = try LoRATrainer(model: model, lora: LoRAOptions(rank: 2, alpha: 4), options: options, pool: pool)
        let forgot = try await plain.train(rows) { event in
            if case .step(let step) = event, step.step == stop { return .pause }
            return .proceed
        }
        let checkpoint = try #require(forgot.outcome.checkpoint)
        if stop < 4 {
            #expect(try await trainer.train(rows, resume: checkpoint).outcome.half?.parameters.values == half)
        } else {
            await #expect(throws: EngineError.self) { try await trainer.train(rows, resume: checkpoint) }
        }
    }

    @Test("what cannot be trained is refused before the start")
    func refusals() async throws {
        let pool = try ComputePool(threads: 1), model = try TinyModels.model()
        let trainer = try LoRATrainer(model: model, lora: LoRAOptions(), options: TinyModels.options(), pool: pool)
        await #expect(throws: EngineError.noData("there is no row to train on")) { try await trainer.train([]) }
        await #expect(throws: EngineError.rowTooLong(row: 1, tokens: 49, limit: 48)) {
            try await trainer.train(TinyModels.rows(1) + TinyModels.rows(1, length: 49))
        }
        await #expect(throws: EngineError.badToken(row: 0, token: 29, vocabulary: 29)) {
            try await trainer.train([TrainingExample(tokens: [1, 29, 3])])
        }
        await #expect(throws: EngineError.self) { try await trainer.train([TrainingExample(tokens: [1])]) }
        await #expect(throws: EngineError.self) { try await trainer.train([TrainingExample(tokens: [1, 2, 3], lossFrom: 3)]) }
        var options = TinyModels.options()
        options.memoryLimit = 100_000
        let small = try LoRATrainer(model: model, lora: LoRAOptions(), options: options, pool: pool)
        let needed = try small.byteCount(TinyModels.rows(3))
        await #expect(throws: EngineError.outOfMemory(needed: needed, limit: 100_000, what: "training")) {
            try await small.train(TinyModels.rows(3))
        }
        options = TinyModels.options()
        options.learningRate = .nan
        #expect(throws: EngineError.self) { try LoRATrainer(model: model, lora: LoRAOptions(), options: options, pool: pool) }
        #expect(throws: EngineError.self) {
            try LoRATrainer(model: model, lora: LoRAOptions(rank: 0, alpha: 1), options: TinyModels.options(), pool: pool)
        }
    }

    @Test("a run that diverges ends at that step and says so")
    func diverges() async throws {
        var configuration = TinyModels.configuration
        configuration.tiesEmbeddings = false
        var options = TinyModels.options(steps: 50)
        options.learningRate = 10
        options.maximumGradientNorm = nil
        options.warmupSteps = 0
        var tensors: [String: [Float]] = [:]
        for shape in configuration.tensorShapes { tensors[shape.name] = [Float](repeating: 1e30, count: shape.count) }
        let model = try LanguageModel(configuration: configuration, tensors: tensors)
        let trainer = try LoRATrainer(model: model, lora: LoRAOptions(), options: options, pool: ComputePool(threads: 1))
        await #expect {
            try await trainer.train(TinyModels.rows(6))
        } throws: { error in
            if case EngineError.diverged(step: 1, _) = error { true } else { false }
        }
    }

    @Test("gradients are the slopes of the loss")
    func slopes() throws {
        var configuration = TinyModels.configuration
        configuration.slidingWindow = 5
        configuration.slidingWindowLayers = 1..<2
        configuration.hasQueryKeyValueBias = true
        let source = try TinyModels.model(configuration), layout = ParameterLayout(configuration)
        let parameters = FloatBuffer(source.allValues), gradient = FloatBuffer(layout.count)
        let kernels = try #require(Kernels(.best)), row = TinyModels.rows(1)[0]
        let pass = SequencePass(
            NetworkWeights(layout, in: parameters), rotary: source.rotary, kernels: kernels, capacity: row.tokens.count, rank: 0)
        func loss() -> Double { pass.run(row.tokens, targets: row.targets, adapter: nil, factor: 1, gradient: nil).loss }
        _ = pass.run(row.tokens, targets: row.targets, adapter: nil, factor: 1, gradient: .all(gradient.base, layout))
        var generator = Seed.generator()
        for shape in configuration.tensorShapes {
            // Along a random direction in each tensor.
            let range = layout.range(shape.name)
            let direction = range.map { _ in Float.random(in: -1...1, using: &generator) }
            let kept = range.map { parameters.base[$0] }
            func move(_ step: Float) -> Double {
                for (index, place) in range.enumerated() { parameters.base[place] = kept[index] + step * direction[index] }
                return loss()
            }
            let step: Float = 2e-3
            let slope = (move(step) - move(-step)) / (2 * Double(step))
            _ = move(0)
            let expected = zip(range, direction).reduce(0) { $0 + Double(gradient.base[$1.0]) * Double($1.1) }
            #expect(abs(slope - expected) < 0.02 * max(1, abs(expected)), "\(shape.name): \(slope) and \(expected)")
        }
    }

    @Test("learning rates rise in the warm-up and fall as the schedule says")
    func schedules() {
        var options = TrainingOptions()
        options.learningRate = 1
        options.warmupSteps = 4
        for schedule in TrainingOptions.Schedule.allCases {
            options.schedule = schedule
            #expect((0..<4).map { options.rate(step: $0, of: 24) } == [0.25, 0.5, 0.75, 1])
            let rates = (4..<25).map { options.rate(step: $0, of: 24) }
            #expect(rates == rates.sorted(by: >=))
            let last = options.rate(step: 24, of: 24)
            #expect(abs(last - (schedule == .constant ? 1 : schedule == .linear ? 0 : 0.1)) < 1e-6)
        }
    }

    @Test("every epoch reads every row once, in an order of its own")
    func order() {
        var options = TrainingOptions()
        options.epochs = 3
        options.rowsPerStep = 4
        let order = RowOrder(rows: 10, options: options)
        #expect(order.steps == 8)
        var cache = (epoch: -1, order: [Int]())
        let all = (0..<8).flatMap { order.rows(step: $0, cache: &cache) }
        #expect(all.count == 30)
        for epoch in 0..<3 { #expect(all[epoch * 10..<epoch * 10 + 10].sorted() == Array(0..<10)) }
        #expect(Array(all[0..<10]) != Array(all[10..<20]))
    }
}
