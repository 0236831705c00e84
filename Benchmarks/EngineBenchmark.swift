import CKernels
import Engine
import Foundation
import JSON

/// The engine beside torch, transformers and PEFT: the same models (5 M and 105 M parameters), the same rows, one thread each, per second
/// of CPU. The peer runs where OPENLEDGER_PEER_PYTHON names a Python that has them.
enum EngineBenchmark {
    private static let configuration = ModelConfiguration(
        vocabularySize: 8192, hiddenSize: 256, intermediateSize: 704, layerCount: 4, headCount: 4, keyValueHeadCount: 2,
        contextLength: 1024,
        tiesEmbeddings: true)
    private static let large = ModelConfiguration(
        vocabularySize: 8192, hiddenSize: 768, intermediateSize: 2048, layerCount: 14, headCount: 12, keyValueHeadCount: 12,
        contextLength: 1024, tiesEmbeddings: true)

    static func run(rounds: Int) async throws {
        let pool = try ComputePool(threads: 1), model = try model(configuration)
        var figures: [(String, Double)] = [("sgemm_gflops", try await best(rounds) { try gemm(pool.level) })]
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
            let cache = AdapterCache(budget: 4 << 30) { name in adapters[Int(name) ?? 0] }
            for number in 0..<distinct { _ = try await cache.adapter(String(number)) }
            figures.append((name, try await best(rounds) { try await decode(model, pool, cache, distinct) }))
            guard cache.resident.names.count == distinct else {
                throw EngineError.unavailable("\(distinct) adapters did not stay resident")
            }
        }
        figures.append(("adapter_loads", try await loads(adapters[0], rounds)))
        let heavy = try Self.model(large)
        var two = options
        two.steps = 2
        let long = try LoRATrainer(model: heavy, lora: LoRAOptions(), options: two, pool: pool)
        figures.append(("lora_tokens_105m", try await best(min(rounds, 2)) { Double(try await long.train(rows).outcome.tokens) }))
        let learned = try await learn(pool)
        defer { try? FileManager.default.removeItem(atPath: learned.folder) }
        let peer = peer(learned.folder)
        row("per second of CPU, one thread, \(pool.level.rawValue)", "engine", "peer", "ratio")
        for (name, value) in figures {
            let other = peer[name.replacingOccurrences(of: "_1000", with: "")]
            row(name, thousands(value), other.map(thousands) ?? "-", other.map { ratio(value / $0) } ?? "-")
        }
        let theirs = peer["held_out_loss_micros"].map { $0 / 1_000_000 }
        row(
            "held-out loss, before \(String(format: "%.4f", learned.before))", String(format: "%.4f", learned.after),
            theirs.map { String(format: "%.4f", $0) } ?? "-", theirs.map { ratio(Double(learned.after) / $0) } ?? "-")
        row(
            "bytes resident", "\(model.byteCount >> 20) MiB", "", "",
            "and \(adapters.reduce(0) { $0 + $1.byteCount } >> 20) MiB in 1,000 adapters; 105 M: \(heavy.byteCount >> 20) MiB")
    }

    /// Billions of floating-point operations: 256 × 768 times 768 × 768, packed once, as a projection computes.
    private static func gemm(_ level: KernelLevel) throws -> Double {
        let number: Int32 = [.baseline: 0, .avx2: 1, .avx512: 2, .neon: 3][level] ?? 0
        guard let kernels = engine_kernels(number)?.pointee else { return 0 }
        // As ENGINE_GEMM_SCRATCH has it, which is a macro.
        let gemmScratch = 120 * 256 + 256 * 1024 + 64
        let (m, n) = (256, 768)
        func numbers(_ count: Int) -> UnsafeMutablePointer<Float> {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64).bindMemory(to: Float.self, capacity: count)
            for index in 0..<count { memory[index] = Float(index % 97) / 97 }
            return memory
        }
        let (a, b, panels, c, scratch) = (numbers(m * n), numbers(n * n), numbers(n * n), numbers(m * n), numbers(gemmScratch))
        defer { for memory in [a, b, panels, c, scratch] { memory.deallocate() } }
        guard engine_pack(Int32(ENGINE_PANEL_F32), Int64(n), Int64(n), b, panels, nil) != 0 else { return 0 }
        var matrix = EngineMatrix(
            kind: Int32(ENGINE_PANEL_F32), rows: Int64(n), columns: Int64(n), stride: Int64(n), data: UnsafeRawPointer(panels), scales: nil)
        for _ in 0..<300 {
            kernels.gemm(0, 1, Int64(m), Int64(n), Int64(n), 1, a, Int64(n), &matrix, c, Int64(n), 0, scratch)
        }
        return 300 * 2 * Double(m * n * n) / 1e9
    }

    /// How many adapters are read from their PEFT folders in a second.
    private static func loads(_ adapter: Adapter, _ rounds: Int) async throws -> Double {
        let folder = NSTemporaryDirectory() + "openledger-bench-adapter-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try adapter.peft().write(to: folder)
        return try await best(rounds) {
            for _ in 0..<200 { _ = try Adapter(folder: folder, for: configuration) }
            return 200
        }
    }

    /// Learns the conversations that ship with the base model, and leaves what the peer needs to do the same in a folder.
    private static func learn(_ pool: ComputePool) async throws -> (folder: String, before: Float, after: Float) {
        let base = "models/base"
        let model = try LanguageModel(folder: base), tokenizer = try Tokenizer(folder: base)
        var tokens: [Int32] = []
        let lines = try String(contentsOfFile: base + "/conversations.jsonl", encoding: .utf8).split(separator: "\n")
        for line in lines { tokens += tokenizer.encode(String(line), readingSpecialTokens: false) }
        let rows = stride(from: 0, to: tokens.count - 64, by: 64).map { Array(tokens[$0..<$0 + 64]) }
        let holdOut = rows.enumerated().filter { $0.offset % 5 == 0 }.map(\.element)
        let training = rows.enumerated().filter { $0.offset % 5 != 0 }.map(\.element)
        var options = TrainingOptions()
        options.epochs = 6
        options.checkpointEvery = 0
        let trainer = try LoRATrainer(model: model, lora: LoRAOptions(), options: options, pool: pool)
        let (_, outcome) = try await trainer.train(
            training.map { TrainingExample(tokens: $0) }, holdOut: holdOut.map { TrainingExample(tokens: $0) })
        let folder = NSTemporaryDirectory() + "openledger-bench-rows-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        func list(_ rows: [[Int32]]) -> JSONValue { .array(rows.map { .array($0.map { .int(Int64($0)) }) }) }
        let settings: JSONValue = [
            "epochs": 6, "learning_rate": 2_000, "batch": 8, "rank": 8, "alpha": 16, "seed": 1, "warmup": 10,
            "targets": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        ]
        let told: JSONValue = ["base": .string(base), "training": list(training), "holdout": list(holdOut), "settings": settings]
        try Data(JSON.write(told)).write(to: URL(fileURLWithPath: folder + "/rows.json"))
        return (folder, outcome.evaluations.first?.loss ?? 0, outcome.evaluations.last?.loss ?? 0)
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

    /// One answer under each resident adapter, 32 at a time: every step has 32 different ones, and over the steps all have their turn.
    private static func decode(_ model: LanguageModel, _ pool: ComputePool, _ cache: AdapterCache, _ distinct: Int) async throws -> Double {
        var limits = GeneratorLimits()
        limits.sequences = 32
        let generator = try Generator(model: model, pool: pool, limits: limits) { _ in [65] }
        defer { generator.stop() }
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<distinct {
                group.addTask {
                    let adapter = try await cache.adapter(String(index))
                    var request = GenerationRequest(prompt: [1, 2, 3, Int32(index % 32)], adapter: adapter)
                    request.maximumTokens = 64
                    request.sampling = .greedy
                    return try await generator.answer(request).tokens.count
                }
            }
            return Double(try await group.reduce(0, +))
        }
    }

    private static func model(_ configuration: ModelConfiguration) throws -> LanguageModel {
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
    private static func peer(_ folder: String) -> [String: Double] {
        guard let python = ProcessInfo.processInfo.environment["OPENLEDGER_PEER_PYTHON"] else { return [:] }
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["Benchmarks/engine_peer.py", "1", folder + "/rows.json"]
        process.environment = ProcessInfo.processInfo.environment.merging(["OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"]) { $1 }
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
