internal import Crypto
internal import Engine
internal import Events
internal import JSON
internal import ServiceShell
internal import Synchronization
internal import Threads

/// One fine-tuning: rows, training in two halves (the adapter at half way is the second point at which influence is measured), the
/// items' attribution rows, and the adapter handed in.
struct FineTuning: Sendable {
    let order: TrainingDesk.Order
    let desk: TrainingDesk
    let library: ModelLibrary
    let pool: ComputePool

    func run() async throws {
        guard let model = library.models[order.base] else { throw RunnerError.unknownBase(order.base) }
        let rows = try await rows(model)
        guard !rows.training.isEmpty else { throw RunnerError.noRows }
        let (lora, options) = try settings()
        let trainer = try LoRATrainer(model: model.model, lora: lora, options: options, pool: pool)
        let examples = rows.training.map(\.example)
        let progress = Progress(order: order, desk: desk)
        let reporting = Task { await progress.report() }
        defer {
            progress.end()
            reporting.cancel()
        }
        let resumed = try await resume()
        let half = try await trainer.train(examples, holdOut: rows.holdout.map(\.example), resume: resumed) { event in
            progress.hear(event, pausesAtHalf: true)
        }
        var whole = half
        if half.outcome.end != .finished, let checkpoint = half.outcome.checkpoint {
            whole = try await trainer.train(examples, holdOut: rows.holdout.map(\.example), resume: checkpoint) { event in
                progress.hear(event, pausesAtHalf: false)
            }
        }
        if progress.isLost { throw RunnerError.lost }
        try await handIn(half.adapter, whole.adapter, whole.outcome, rows, model)
    }

    private func rows(_ model: ServedModel) async throws -> JobRows {
        var rows = JobRows(
            model: model, maximum: try order.settings.int("maximum_tokens"), held: try order.settings.int("holdout"),
            learnsPassages: try order.settings.optionalBool("passages") ?? false)
        for (index, snapshot) in order.snapshots.enumerated() {
            for line in try await desk.rows(order, snapshot: index) { try rows.add(line, datanet: snapshot.datanet) }
            _ = try await desk.report(order, [("step", 0), ("steps", 0), ("message", .string("rows of \(snapshot.datanet) read"))])
        }
        return rows
    }

    private func settings() throws -> (LoRAOptions, TrainingOptions) {
        var targets: Set<LinearModule> = []
        for name in try order.settings.array("targets") {
            let text = try name.string()
            guard let module = LinearModule.allCases.first(where: { $0.name == text }) else {
                throw name.error("is no linear layer of this family")
            }
            targets.insert(module)
        }
        var options = TrainingOptions()
        options.epochs = try order.settings.int("epochs")
        options.learningRate = Float(try order.settings.int("learning_rate")) / 1_000_000
        options.rowsPerStep = try order.settings.int("batch")
        options.seed = UInt64(try order.settings.int("seed"))
        options.warmupSteps = try order.settings.int("warmup")
        options.checkpointEvery = try order.settings.int("checkpoint_every")
        return (LoRAOptions(rank: try order.settings.int("rank"), alpha: Float(try order.settings.int("alpha")), modules: targets), options)
    }

    /// The checkpoint that an earlier attempt left.
    private func resume() async throws -> TrainingCheckpoint? {
        guard let digest = order.checkpoint else { return nil }
        let folder = try await ArtefactFetch(peers: desk.peers, folder: library.folder + "/checkpoints").folder(of: digest.prefixed)
        return try await OSThread.run(name: "checkpoint") { try TrainingCheckpoint(path: folder + "/checkpoint.bin") }
    }

    private func handIn(
        _ half: Adapter, _ adapter: Adapter, _ outcome: TrainingOutcome, _ rows: JobRows, _ model: ServedModel
    ) async throws {
        let files = try adapter.peft(baseModel: model.name, metadata: ["job": order.job]).files()
        let lineage = try JSON.canonical([
            "job": .string(order.job), "base": .string(model.artefact.prefixed), "snapshots": .array(order.snapshots.map(\.json)),
        ])
        let artefact = try Artefact(files: [
            ("adapter_config.json", files.configuration), ("adapter_model.safetensors", files.weights), ("openledger.json", lineage),
        ])
        try await desk.upload(artefact)
        let (rowsArtefact, factors) = try await influence([half, adapter], rows, model)
        try await desk.upload(rowsArtefact)
        try await library.keep(factors, of: artefact.digest)
        func micros(_ value: Float) -> JSONValue { .int(Int64((value * 1_000_000).rounded())) }
        try await desk.complete(
            order, adapter: artefact.digest, rows: rowsArtefact.digest, tokens: outcome.tokens,
            record: [
                "kernel_level": .string(outcome.kernelLevel.rawValue), "threads": .int(Int64(pool.threads)),
                "steps": .int(Int64(outcome.steps)),
                "final_loss_micros": micros(outcome.finalLoss), "rows": .int(Int64(rows.training.count)), "cut": .int(Int64(rows.cut)),
                "holdout_rows": .int(Int64(rows.holdout.count)), "factors": .string(factors.digest.prefixed),
                "evaluations": .array(
                    outcome.evaluations.map { ["step": .int(Int64($0.step)), "holdout_loss_micros": micros($0.loss)] }),
            ])
    }

    /// The training items' attribution rows as an artefact: `rows.bin` has them one after another, `rows.json` says whose each is.
    private func influence(_ checkpoints: [Adapter], _ rows: JobRows, _ model: ServedModel) async throws -> (Artefact, InfluenceFactors) {
        let examples = rows.training.map(\.example)
        let factors = try await InfluenceFactors.fit(model: model.model, checkpoints: checkpoints, rows: examples, pool: pool)
        let made = try await factors.rows(examples, role: .training, pool: pool)
        var bytes: [UInt8] = []
        var index: [JSONValue] = []
        for (row, made) in zip(rows.training, made) {
            let encoded = made.bytes
            index.append([
                "item": .string(row.item), "owner": .string(row.owner), "datanet": .string(row.datanet), "offset": .int(Int64(bytes.count)),
                "length": .int(Int64(encoded.count)),
            ])
            bytes += encoded
        }
        let artefact = try Artefact(files: [
            ("rows.bin", bytes),
            ("rows.json", try JSON.canonical(["factors": .string(factors.digest.prefixed), "rows": .array(index)])),
        ])
        return (artefact, factors)
    }
}

/// What the training says while it runs, told to the desk at most twice a second; and whether it may go on.
final class Progress: Sendable {
    private struct State {
        var last: [(String, JSONValue)] = []
        var checkpoint: (step: Int, state: TrainingCheckpoint)?
        var isLost = false
        var isOver = false
    }

    private let order: TrainingDesk.Order
    private let desk: TrainingDesk
    private let state = Lock(State())

    init(order: TrainingDesk.Order, desk: TrainingDesk) {
        self.order = order
        self.desk = desk
    }

    /// Whether the job is no longer this runner's.
    var isLost: Bool { state.withLock { $0.isLost } }

    func end() { state.withLock { $0.isOver = true } }

    /// Called on the training's own thread.
    func hear(_ event: TrainingEvent, pausesAtHalf: Bool) -> TrainingDecision {
        state.withLock { state in
            var decision = TrainingDecision.proceed
            switch event {
            case .step(let step):
                state.last = [
                    ("step", .int(Int64(step.step))), ("steps", .int(Int64(step.totalSteps))), ("tokens", .int(Int64(step.tokens))),
                    ("loss_micros", .int(Int64((max(0, step.loss) * 1_000_000).rounded()))),
                ]
                if pausesAtHalf, step.step * 2 >= step.totalSteps, step.step < step.totalSteps { decision = .pause }
            case .evaluation(let measured):
                state.last.removeAll { $0.0 == "holdout_loss_micros" }
                if !state.last.isEmpty {
                    state.last.append(("holdout_loss_micros", .int(Int64((max(0, measured.loss) * 1_000_000).rounded()))))
                }
            case .checkpoint(let checkpoint): state.checkpoint = (checkpoint.step, checkpoint)
            }
            return state.isLost ? .cancel : decision
        }
    }

    /// Tells until the training is over.
    func report() async {
        while !Task.isCancelled {
            let (last, checkpoint, isOver) = state.withLock { state in
                defer { state.checkpoint = nil }
                return (state.last, state.checkpoint, state.isOver)
            }
            if isOver { return }
            do {
                let goesOn = try await desk.report(order, last.isEmpty ? [("step", 0), ("steps", 0)] : last)
                if !goesOn { state.withLock { $0.isLost = true } }
                if goesOn, let checkpoint {
                    let bytes = try await OSThread.run(name: "checkpoint") { try checkpoint.state.bytes() }
                    let artefact = try Artefact(files: [("checkpoint.bin", bytes)])
                    try await desk.upload(artefact)
                    try await desk.checkpoint(order, step: checkpoint.step, artefact.digest, metrics: .object(JSONObject(last)))
                }
            } catch {
                // A report that is lost is followed by another; a lease that is lost shows in the next answer.
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }
}
