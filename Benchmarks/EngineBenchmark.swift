import Engine
import Foundation

/// The engine beside torch, transformers and PEFT: the same model (5 M parameters), the same rows, one thread each, per second of CPU.
/// The peer runs where OPENLEDGER_PEER_PYTHON names a Python that has them.
enum EngineBenchmark {
    private static let configuration = ModelConfiguration(
        vocabularySize: 8192, hiddenSize: 256, intermediateSize: 704, layerCount: 4, headCount: 4, keyValueHeadCount: 2,
        contextLength: 1024,
        tiesEmbeddings: true)

    static func run(rounds: Int) async throws {
        let pool = try ComputePool(threads: 1), model = try model()
        var figures: [(String, Double)] = []
        var options = TrainingOptions()
        options.steps = 8
        options.evaluateEvery = 0
        options.checkpointEvery = 0
        let trainer = try LoRATrainer(model: model, lora: LoRAOptions(), options: options, pool: pool)
        let rows = rows()
        figures.append(("lora_tokens", try await best(rounds) { Double(try await trainer.train(rows).outcome.tokens) }))
        let full = try FullTrainer(configuration: configuration, options: options, pool: pool)
        figures.append(("full_tokens", try await best(rounds) { Double(try await full.train(rows).outcome.tokens) }))
        let adapters = try (0..<1000).map { try Adapter.initial(LoRAOptions(), for: configuration, seed: UInt64($0)) }
        for (name, distinct) in [("mixed_decode_tokens", 32), ("mixed_decode_tokens_1000", 1000)] {
            let used = Array(adapters.prefix(distinct))
            figures.append((name, try await best(rounds) { try await decode(model, pool, used) }))
        }
        let peer = peer()
        row("per second of CPU, one thread, \(pool.level.rawValue)", "engine", "peer", "ratio")
        for (name, value) in figures {
            let other = peer[name.replacingOccurrences(of: "_1000", with: "")]
            row(name, thousands(value), other.map(thousands) ?? "-", other.map { ratio(value / $0) } ?? "-")
        }
    }

    private static func best(_ rounds: Int, _ body: () async throws -> Double) async throws -> Double {
        var best = 0.0
        for _ in 0..<max(1, rounds) {
            let start = processCPU()
            let count = try await body()
            best = max(best, count / (processCPU() - start))
        }
        return best
    }

    private static func decode(_ model: LanguageModel, _ pool: ComputePool, _ adapters: [Adapter]) async throws -> Double {
        let generator = try Generator(model: model, pool: pool) { _ in [65] }
        defer { generator.stop() }
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<32 {
                group.addTask {
                    var request = GenerationRequest(prompt: [1, 2, 3, Int32(index)], adapter: adapters[index * 31 % adapters.count])
                    request.maximumTokens = 64
                    request.sampling = .greedy
                    return try await generator.answer(request).tokens.count
                }
            }
            return Double(try await group.reduce(0, +))
        }
    }

    private static func model() throws -> LanguageModel {
        var state: UInt64 = 1
        var tensors: [String: [Float]] = [:]
        for shape in configuration.tensorShapes {
            tensors[shape.name] = (0..<shape.count).map { _ in
                guard shape.shape.count > 1 else { return 1 }
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return (Float(state >> 40) / 8_388_608 - 1) * 0.035
            }
        }
        return try LanguageModel(configuration: configuration, tensors: tensors)
    }

    private static func rows() -> [TrainingExample] {
        (0..<64).map { row in TrainingExample(tokens: (0..<128).map { Int32((row * 7919 + $0 * 104_729) % 8192) }) }
    }

    /// The figures that the peer prints, by name; empty where there is none.
    private static func peer() -> [String: Double] {
        guard let python = ProcessInfo.processInfo.environment["OPENLEDGER_PEER_PYTHON"] else { return [:] }
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["Benchmarks/engine_peer.py", "1"]
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return [:] }
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        var figures: [String: Double] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let value = Double(words[1]) { figures[String(words[0])] = value }
        }
        return figures
    }
}
