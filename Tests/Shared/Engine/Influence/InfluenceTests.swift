import CKernels
import Crypto
import TestSupport
import Testing

@testable import Engine

@Suite("Influence")
struct InfluenceTests {
    private func trained() async throws -> (model: LanguageModel, checkpoints: [Adapter], rows: [TrainingExample]) {
        let model = try TinyModels.model(), rows = TinyModels.rows(16), pool = try ComputePool(threads: 2)
        var checkpoints: [Adapter] = []
        for steps in [6, 12] {
            let trainer = try LoRATrainer(
                model: model, lora: LoRAOptions(rank: 2, alpha: 4), options: TinyModels.options(steps: steps), pool: pool)
            checkpoints.append(try await trainer.train(rows).adapter)
        }
        return (model, checkpoints, rows)
    }

    @Test("factors and rows have the same bytes with one thread and with three")
    func deterministic() async throws {
        let (model, checkpoints, rows) = try await trained()
        var digests: [String] = []
        for threads in [1, 3] {
            let pool = try ComputePool(threads: threads)
            let factors = try await InfluenceFactors.fit(model: model, checkpoints: checkpoints, rows: rows, pool: pool)
            let made = try await factors.rows(rows, role: .training, pool: pool)
            digests.append(factors.digest.hex + made.map(\.digest.hex).joined())
        }
        #expect(digests[0] == digests[1])
    }

    @Test("rotation keeps lengths, bases are orthonormal and eigenvalues are mean squares")
    func bases() async throws {
        let (model, checkpoints, rows) = try await trained()
        let pool = try ComputePool(threads: 1)
        let factors = try await InfluenceFactors.fit(model: model, checkpoints: checkpoints, rows: rows, pool: pool)
        let kernels = try #require(Kernels(.best)), scratch = FloatBuffer(Kernels.gemmScratch)
        var random = SeededRandom(4)
        for tensor in factors.checkpoints[0].tensors {
            let count = tensor.rows * tensor.columns
            let gradient = FloatBuffer((0..<count).map { _ in random.normal() }), out = FloatBuffer(count), temporary = FloatBuffer(count)
            tensor.rotate(gradient.base, to: out.base, temporary: temporary.base, kernels: kernels, scratch: scratch.base)
            let before = kernels.table.square_sum(gradient.base, Int64(count)), after = kernels.table.square_sum(out.base, Int64(count))
            #expect(abs(before - after) < 1e-4 * before)
            #expect(tensor.eigenvalues.values.allSatisfy { $0 >= 0 })
        }
        #expect(factors.checkpoints[0].tensors.contains { $0.eigenvalues.values.contains { $0 > 0 } })
    }

    @Test("a row helps itself most, and what it helps it was trained to say")
    func selfInfluence() async throws {
        let (model, checkpoints, rows) = try await trained()
        let pool = try ComputePool(threads: 2)
        let factors = try await InfluenceFactors.fit(model: model, checkpoints: checkpoints, rows: rows, pool: pool)
        let training = try await factors.rows(rows, role: .training, pool: pool)
        let answers = try await factors.rows(rows, role: .answer, pool: pool)
        var first = 0
        for (index, answer) in answers.enumerated() {
            let scores = try training.map { try InfluenceRow.score(training: $0, answer: answer) }
            #expect(scores[index] > 0)
            if scores.max() == scores[index] { first += 1 }
        }
        #expect(first >= 12, "\(first) of 16 rank first for themselves")
    }

    @Test("a row survives its bytes, and damaged bytes are refused")
    func bytes() async throws {
        let (model, checkpoints, rows) = try await trained()
        let pool = try ComputePool(threads: 1)
        let factors = try await InfluenceFactors.fit(model: model, checkpoints: [checkpoints[1]], rows: rows, pool: pool)
        let row = try await factors.rows([rows[0]], role: .training, pool: pool)[0]
        #expect(try InfluenceRow(bytes: row.bytes) == row)
        #expect(try InfluenceRow(bytes: row.bytes).digest == row.digest)
        for length in [0, 5, 41, 60, row.bytes.count - 1] {
            #expect(throws: EngineError.self) { try InfluenceRow(bytes: Array(row.bytes.prefix(length))) }
        }
        #expect(throws: EngineError.self) { try InfluenceRow(bytes: row.bytes + [0]) }
        var generator = Seed.generator()
        for _ in 0..<200 {
            var bytes = row.bytes
            bytes[Int.random(in: 0..<60, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            if let other = try? InfluenceRow(bytes: bytes) { #expect(other != row) }
        }
    }

    @Test("factors read from their file give the same rows; a damaged file or another model is refused")
    func file() async throws {
        let (model, checkpoints, rows) = try await trained()
        let pool = try ComputePool(threads: 1), folder = try TemporaryFolder("factors")
        let factors = try await InfluenceFactors.fit(model: model, checkpoints: checkpoints, rows: rows, pool: pool)
        let path = folder.path("factors.safetensors")
        try factors.write(to: path)
        let read = try InfluenceFactors(path: path, model: model)
        #expect(read.digest == factors.digest)
        let before = try await factors.rows([rows[2]], role: .answer, pool: pool)
        #expect(try await read.rows([rows[2]], role: .answer, pool: pool) == before)
        var other = TinyModels.configuration
        other.intermediateSize = 32
        #expect(throws: (any Error).self) { try InfluenceFactors(path: path, model: TinyModels.model(other)) }
        var bytes = try WholeFile.read(path, limit: 1 << 24)
        bytes[bytes.count - 3] ^= 1
        try WholeFile.replace(path, with: bytes)
        #expect(throws: EngineError.self) { try InfluenceFactors(path: path, model: model) }
    }

    @Test("canaries are the same for the same seed, other ones for another, and of the model's tokens")
    func canaries() async throws {
        let (model, checkpoints, rows) = try await trained()
        let size = model.configuration.vocabularySize
        let made = CanaryRows.examples(length: 6, vocabulary: size, seed: 3)
        #expect(made == CanaryRows.examples(length: 6, vocabulary: size, seed: 3))
        #expect(made != CanaryRows.examples(length: 6, vocabulary: size, seed: 4))
        #expect(made.count == CanaryRows.names * CanaryRows.rowsOfEach && Set(made.map(\.tokens)).count > made.count / 2)
        #expect(made.allSatisfy { $0.tokens.count == 6 && $0.tokens.allSatisfy { (0..<Int32(size)).contains($0) } })
        let pool = try ComputePool(threads: 1)
        let factors = try await InfluenceFactors.fit(model: model, checkpoints: [checkpoints[1]], rows: rows, pool: pool)
        #expect(try await factors.rows(made, role: .training, pool: pool).count == made.count)
    }

    @Test("only rows of the same factors and of opposite roles are compared")
    func mixing() async throws {
        let (model, checkpoints, rows) = try await trained()
        let pool = try ComputePool(threads: 1)
        let one = try await InfluenceFactors.fit(model: model, checkpoints: [checkpoints[0]], rows: rows, pool: pool)
        let two = try await InfluenceFactors.fit(model: model, checkpoints: [checkpoints[1]], rows: rows, pool: pool)
        let training = try await one.rows([rows[0]], role: .training, pool: pool)[0]
        let answer = try await two.rows([rows[0]], role: .answer, pool: pool)[0]
        #expect(throws: EngineError.self) { try InfluenceRow.score(training: training, answer: answer) }
        #expect(throws: EngineError.self) { try InfluenceRow.score(training: training, answer: training) }
    }

    @Test("what cannot be measured is refused")
    func refusals() async throws {
        let (model, checkpoints, rows) = try await trained()
        let pool = try ComputePool(threads: 1)
        await #expect(throws: EngineError.self) { try await InfluenceFactors.fit(model: model, checkpoints: [], rows: rows, pool: pool) }
        await #expect(throws: EngineError.self) {
            try await InfluenceFactors.fit(model: model, checkpoints: checkpoints, rows: [], pool: pool)
        }
        var options = InfluenceOptions()
        options.memoryLimit = 1000
        let tight = options
        await #expect(throws: EngineError.self) {
            try await InfluenceFactors.fit(model: model, checkpoints: checkpoints, rows: rows, options: tight, pool: pool)
        }
        await #expect(throws: EngineError.cancelled) {
            try await InfluenceFactors.fit(model: model, checkpoints: checkpoints, rows: rows, pool: pool) { $0 < 0.3 }
        }
        let factors = try await InfluenceFactors.fit(model: model, checkpoints: checkpoints, rows: rows, pool: pool)
        await #expect(throws: EngineError.cancelled) {
            try await factors.rows(rows, role: .training, pool: pool) { false }
        }
        #expect(factors.end(at: checkpoints[checkpoints.count - 1]) && !factors.end(at: checkpoints[0]))
    }
}
