import Crypto
import EventLog
import Foundation
import TestSupport
import Testing

@Suite struct ExportTests {
    let origin: TemporaryFolder
    let bundle: TemporaryFolder
    let server: FolderServer
    let events: [[UInt8]]
    let trust: LogTrust

    init() throws {
        origin = try TemporaryFolder("export")
        bundle = try TemporaryFolder("export")
        var random = Seed.generator("export")
        events = try AuditFixture.events(1_300, &random)
        try AuditFixture.write(Array(events.prefix(700)), to: origin.path, signer: try AuditFixture.signer())
        server = FolderServer(origin.path)
        trust = try LogTrust(keys: [try AuditFixture.signer().verifier])
    }

    func export() async throws -> LogExport.Result {
        try await LogExport(server.source(local: bundle.path), to: bundle.path, trust: trust).run()
    }

    func grow(to size: Int) throws {
        try AuditFixture.write(Array(events.prefix(size)), to: origin.path, signer: try AuditFixture.signer())
    }

    @Test func `what is exported audits as sound and is byte for byte the log's`() async throws {
        let result = try await export()
        #expect(result.before == 0 && result.checkpoint.size == 700)
        let report = try await AuditFixture.audit(bundle.path)
        #expect(report.isGood && report.kept == [700])
        for path in [
            "checkpoint", "keys", "tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/188",
        ] {
            #expect(try AuditFixture.get(bundle.path, path) == AuditFixture.get(origin.path, path), "\(path)")
        }
    }

    @Test func `an older bundle is continued, and its superfluous partial tiles go`() async throws {
        _ = try await export()
        try grow(to: 1_300)
        let before = server.asked.count
        let result = try await export()
        #expect(result.before == 700 && result.checkpoint.size == 1_300)
        #expect(!server.asked[before...].contains("tile/entries/000"), "what the bundle has is not fetched again")
        let report = try await AuditFixture.audit(bundle.path)
        #expect(report.isGood && report.kept == [700, 1_300])
        #expect(!FileManager.default.fileExists(atPath: bundle.path("tile/entries/002.p")))
        #expect(!FileManager.default.fileExists(atPath: bundle.path("tile/1/000.p/2")))
        #expect(try await export().before == 1_300)
    }

    @Test func `an export that was broken off takes what it has`() async throws {
        try grow(to: 1_300)
        server.refuse { $0 == "tile/entries/004" }
        await #expect(throws: AuditFault.self) { try await export() }
        #expect(!FileManager.default.fileExists(atPath: bundle.path("checkpoint")))
        server.refuse { _ in false }
        let before = server.asked.count
        _ = try await export()
        #expect(!server.asked[before...].contains("tile/entries/001"))
        #expect(try await AuditFixture.audit(bundle.path).isGood)
    }

    @Test func `what lies in the folder is taken only if it is what the log has`() async throws {
        _ = try await export()
        try AuditFixture.remove(bundle.path, "checkpoint")
        try AuditFixture.alter(bundle.path, "tile/entries/001") { $0[500] ^= 1 }
        _ = try await export()
        #expect(try await AuditFixture.audit(bundle.path).isGood)
    }

    @Test func `a log that was rewritten does not continue a bundle`() async throws {
        _ = try await export()
        let old = try AuditFixture.get(bundle.path, "checkpoint")
        var rewritten = events
        rewritten.swapAt(3, 4)
        try AuditFixture.write(rewritten, to: origin.path, signer: try AuditFixture.signer())
        let fault = try await #require(throws: AuditFault.self) { try await export() }
        #expect(fault.kind == .history)
        #expect(try AuditFixture.get(bundle.path, "checkpoint") == old, "the good bundle stays")
        #expect(try await AuditFixture.audit(bundle.path).isGood)
    }

    @Test func `a log that shrank does not continue a bundle`() async throws {
        _ = try await export()
        try grow(to: 600)
        #expect(try await #require(throws: AuditFault.self) { try await export() }.kind == .shrunk)
    }

    @Test func `nothing of a bad log is shown in the bundle`() async throws {
        try AuditFixture.alter(origin.path, "tile/entries/001") { $0[1_000] ^= 16 }
        let fault = try await #require(throws: AuditFault.self) { try await export() }
        #expect(fault.kind == .entry && (256..<512).contains(fault.position ?? 0))
        #expect(!FileManager.default.fileExists(atPath: bundle.path("checkpoint")))
        #expect(!FileManager.default.fileExists(atPath: bundle.path("tile/entries/001")))
    }

    @Test func `a bundle that was damaged is not continued`() async throws {
        _ = try await export()
        try grow(to: 1_300)
        try AuditFixture.alter(bundle.path, "tile/0/002.p/188") { $0[40] ^= 1 }
        await #expect(throws: LogSourceError.self) { try await export() }
    }

    @Test func `two exports into one folder at once are kept apart`() async throws {
        let trust = trust
        let (server, path) = (server, bundle.path)
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (try? await LogExport(server.source(local: path), to: path, trust: trust).run()) != nil
                }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(outcomes.contains(true))
        #expect(try await AuditFixture.audit(bundle.path).isGood)
    }

    @Test func `a server that is overloaded for a moment is asked again`() async throws {
        server.fail(3)
        #expect(try await LogAudit(server.source, trust: trust).run().isGood)
        server.fail(1_000)
        await #expect(throws: LogSourceError.self) { try await LogAudit(server.source, trust: trust).run() }
    }

    @Test func `a partial tile that has gone is taken from the full one`() async throws {
        try grow(to: 1_300)
        let old = try SignedCheckpoint(
            signing: Checkpoint(origin: AuditFixture.origin, size: 700, root: root(700)), by: [AuditFixture.signer()])
        try AuditFixture.put(Array(old.note.encoded.utf8), origin.path, "checkpoint")
        try AuditFixture.remove(origin.path, "tile/0/002.p/188")
        try AuditFixture.remove(origin.path, "tile/entries/002.p/188")
        #expect(try await LogAudit(server.source, trust: trust).run().isGood)
    }

    private func root(_ size: Int) -> Digest { Merkle.root(of: events.prefix(size).map { Merkle.leaf($0) }) }
}
