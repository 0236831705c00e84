import Foundation
import JSON
import PrivatePostgres

/// infini-gram's engine beside ours, in this run: `Benchmarks/Spans/span_peer.py` in the Python that `OPENLEDGER_PEER_PYTHON` names.
struct SpanPeer {
    /// The folder in which the peer's scripts have made corpus, tokens and workload.
    let folder: String
    let python: String

    /// What building gave.
    struct Built {
        let seconds: Double
        let cpu: Double
        let bytes: Double
        let tokens: Int
        let documents: Int
    }

    /// What it answered.
    struct Answers {
        /// Of each run of the workload, in its order; none where they were not asked for.
        let counts: [Int]
        private let json: JSONValue

        init(_ json: JSONValue) {
            self.json = json
            counts = (json["counts"]?.arrayValue ?? []).map { Int($0.intValue ?? -1) }
        }

        /// In microseconds: `count_us`, or traces such as `450-ooc`.
        func time(_ name: String, _ percentile: String = "p50") -> Double? { json[name]?[percentile]?.doubleValue }
    }

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        guard let folder = environment["OPENLEDGER_SPAN_PEER"] else {
            throw BenchmarkError("name the folder of the peer's corpus in OPENLEDGER_SPAN_PEER")
        }
        self.folder = folder
        python = environment["OPENLEDGER_PEER_PYTHON"] ?? "python3"
    }

    /// Builds its index of the first documents of the corpus.
    func make(tokens: Int, into path: String) throws -> Built {
        let json = try run(["make", String(tokens), path])
        guard let seconds = json["seconds"]?.doubleValue, let bytes = json["bytes"]?.doubleValue, let tokens = json["tokens"]?.intValue,
            let documents = json["documents"]?.intValue
        else { throw BenchmarkError("the peer's builder said \(json)") }
        return Built(
            seconds: seconds, cpu: json["cpu"]?.doubleValue ?? 0, bytes: bytes, tokens: Int(tokens), documents: Int(documents))
    }

    /// Asks it.
    /// - Parameters:
    ///   - cap: occurrences of a span beyond which it is left out.
    ///   - texts: how many of each kind are traced.
    ///   - kinds: `counts`, and lengths and kinds of texts, such as `450-ooc`.
    func ask(_ path: String, cap: Int, texts: Int, rounds: Int, kinds: [String]) throws -> Answers {
        Answers(try run(["ask", path, String(cap), String(texts), String(rounds), kinds.joined(separator: ",")]))
    }

    private func run(_ words: [String]) throws -> JSONValue {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, "Benchmarks/Spans/span_peer.py", folder] + words
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchmarkError("the peer ended with \(process.terminationStatus): has \(python) infini-gram and numpy?")
        }
        return try JSON.parse(bytes, limits: JSONLimits(depth: 8, bytes: 64 << 20, items: 1_000_000))
    }
}
