import Crypto
import EventLog
import Foundation
import TestSupport
import Testing

/// Verifiers that share no code with ours must agree with it, on what is sound and on what is not.
@Suite(.serialized) struct InteropTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let goModules = "/usr/share/gocode"
    static let hasGo = program("go") != nil && FileManager.default.fileExists(atPath: goModules + "/src/golang.org/x/mod/sumdb/tlog")

    static func program(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs a program to its end; what it said comes with its status.
    static func run(_ program: String, _ arguments: [String], _ environment: [String: String] = [:]) throws -> (
        status: Int32, output: String
    ) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    let folder: TemporaryFolder
    let events: [[UInt8]]
    let log: NoteSigner
    let witness: NoteSigner

    init() throws {
        folder = try TemporaryFolder("interop")
        var random = Seed.generator("interop")
        events = try AuditFixture.events(1_111, &random)
        log = try AuditFixture.signer()
        witness = try AuditFixture.signer(3, name: "witness.example/w", type: .cosignature)
        try AuditFixture.write(events, to: folder.path, signer: log, kept: [1, 255, 256, 700, 1_111], cosigners: [witness])
    }

    @Test(.enabled(if: hasGo, "needs Debian's golang and golang-golang-x-mod-dev"))
    func `Go's sumdb packages verify a bundle, entry by entry, and refuse altered ones`() throws {
        let tools = try TemporaryFolder("go")
        let environment = [
            "GO111MODULE": "off", "GOPATH": Self.goModules, "GOCACHE": tools.path("cache"), "GOFLAGS": "", "HOME": tools.path,
        ]
        let source = Self.root.appendingPathComponent("Tests/Interop/verify.go").path
        let built = try Self.run(try #require(Self.program("go")), ["build", "-o", tools.path("verify"), source], environment)
        try #require(built.status == 0, "\(built.output)")
        func verify() throws -> (status: Int32, output: String) {
            try Self.run(tools.path("verify"), [folder.path, log.verifier.description, witness.verifier.description])
        }
        let sound = try verify()
        #expect(sound.status == 0 && sound.output.contains("1111 entries, 5 kept checkpoints, 2 signatures"), "\(sound.output)")
        for (path, byte) in [
            ("tile/entries/002", 5_000), ("tile/0/001", 77), ("checkpoint", 30), ("checkpoints/700", 30), ("tile/1/000.p/4", 3),
        ] {
            try AuditFixture.alter(folder.path, path) { $0[byte] ^= 1 }
            let altered = try verify()
            #expect(altered.status != 0, "\(path): \(altered.output)")
            try AuditFixture.alter(folder.path, path) { $0[byte] ^= 1 }
        }
        #expect(try verify().status == 0)
    }

    @Test(.enabled(if: TestInput.python != nil, "needs OPENLEDGER_TEST_PYTHON, a Python with pymerkle"))
    func `pymerkle computes the same root over all entries`() throws {
        let python = try #require(TestInput.python)
        let script = Self.root.appendingPathComponent("Tests/Interop/verify_pymerkle.py").path
        let sound = try Self.run(python, [script, folder.path])
        #expect(sound.status == 0, "\(sound.output)")
        try AuditFixture.alter(folder.path, "tile/entries/000") { $0[900] ^= 1 }
        #expect(try Self.run(python, [script, folder.path]).status != 0)
    }

    @Test(.enabled(if: program("python3") != nil, "needs python3"))
    func `the verifier in the documentation takes what ours takes and refuses what ours refuses`() async throws {
        let python = try #require(Self.program("python3"))
        let script = Self.root.appendingPathComponent("docs/verify/verify.py").path
        func verify(_ proof: String, _ key: VerifierKey, _ event: [UInt8]? = nil) throws -> Int32 {
            try folder.write(proof, to: "one.tlog-proof")
            var arguments = [script, folder.path("one.tlog-proof"), key.description]
            if let event {
                try AuditFixture.put(event, folder.path, "one.event")
                arguments.append(folder.path("one.event"))
            }
            return try Self.run(python, arguments).status
        }
        let note = try await FolderLogSource(folder.path).checkpoint()
        var proofs: [Int: TlogProof] = [:]
        for position in [0, 1, 255, 256, 1_023, 1_024, 1_110] {
            var tree = TileTree(source: FolderLogSource(folder.path), size: 1_111)
            let hashes = try await tree.inclusionProof(of: UInt64(position)).hashes
            let proof = TlogProof(extra: events[position], index: UInt64(position), hashes: hashes, checkpoint: note)
            proofs[position] = proof
            #expect(try verify(proof.encoded, log.verifier) == 0, "position \(position)")
        }
        let proof = try #require(proofs[256])
        #expect(try verify(proof.encoded, witness.verifier) == 0, "a witness's cosignature vouches too")
        let bare = TlogProof(extra: nil, index: 256, hashes: proof.hashes, checkpoint: note)
        #expect(try verify(bare.encoded, log.verifier, events[256]) == 0)
        #expect(try verify(bare.encoded, log.verifier) == 1)
        #expect(try verify(bare.encoded, log.verifier, events[257]) == 1)
        #expect(try verify(proof.encoded, try AuditFixture.signer(9).verifier) == 1)
        #expect(try verify(proof.encoded, try AuditFixture.signer(9, name: "other.example/log").verifier) == 1)

        // Altered proofs: both verifiers must say the same.
        var random = Seed.generator()
        let text = Array(proof.encoded.utf8)
        for _ in 0..<40 {
            var altered = text
            let at = Int.random(in: 0..<text.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: altered[at] = UInt8(ascii: "A") + UInt8.random(in: 0..<26, using: &random)
            case 1: altered.remove(at: at)
            default: altered.insert(altered[at], at: at)
            }
            guard let changed = String(validating: altered, as: UTF8.self) else { continue }
            let ours = (try? TlogProof(parsing: changed).verify(keys: [log.verifier])) != nil
            #expect((try verify(changed, log.verifier) == 0) == ours, "byte \(at), seed \(random.seed):\n\(changed)")
        }
    }
}
