import Crypto
import EventLog
import Foundation
import TestSupport
import Testing

@Suite struct MirrorTests {
    let origin: TemporaryFolder
    let copy: TemporaryFolder
    let server: FolderServer
    let events: [[UInt8]]
    let log: NoteSigner
    let witness: NoteSigner

    init() throws {
        origin = try TemporaryFolder("mirror")
        copy = try TemporaryFolder("mirror")
        var random = Seed.generator("mirror")
        events = try AuditFixture.events(1_200, &random)
        log = try AuditFixture.signer()
        witness = try AuditFixture.signer(42, name: "mirror.example/m", type: .cosignature)
        server = FolderServer(origin.path)
        try grow(to: 300)
    }

    func grow(to size: Int) throws { try AuditFixture.write(Array(events.prefix(size)), to: origin.path, signer: log) }

    func open() async throws -> LogMirror {
        try await LogMirror(
            upstream: server.source(local: copy.path), folder: copy.path, trust: try LogTrust(keys: [log.verifier]), signer: witness,
            clock: { 1_763_700_123 })
    }

    /// What a log sends to a witness.
    func submission(old: Int, size: Int, of events: [[UInt8]]? = nil, signer: NoteSigner? = nil) async throws -> [UInt8] {
        let leaves = (events ?? self.events).prefix(size).map { Merkle.leaf($0) }
        var tree = TileTree(source: MemoryTiles(leaves), size: UInt64(size))
        let checkpoint = Checkpoint(origin: AuditFixture.origin, size: UInt64(size), root: try await tree.root())
        let proof = try await tree.consistencyProof(from: UInt64(min(old, size)))
        let note = try SignedCheckpoint(signing: checkpoint, by: [signer ?? log]).note.encoded
        return Array(AddCheckpointRequest(oldSize: UInt64(old), proof: proof.hashes, checkpoint: note).encoded.utf8)
    }

    @Test func `a mirror copies, cosigns and keeps up`() async throws {
        let mirror = try await open()
        #expect(mirror.checkpoint == nil)
        for size in [300, 301, 1_200] {
            try grow(to: size)
            let reached = try #require(try await mirror.round())
            #expect(reached.checkpoint.size == UInt64(size))
            try reached.note.verify(by: log.verifier)
            try reached.note.verify(by: witness.verifier)
            #expect(mirror.checkpoint == reached)
            #expect(try await AuditFixture.audit(copy.path).isGood)
        }
        #expect(try await mirror.round() == nil)
        #expect(try await AuditFixture.audit(copy.path).kept == [300, 301, 1_200])
    }

    @Test func `a copy with a quorum of witnesses is believed without the log's key`() async throws {
        _ = try await open().round()
        let policy = try WitnessPolicy(parsing: "witness m \(witness.verifier)\nquorum m\n")
        let report = try await LogAudit(FolderLogSource(copy.path), trust: try LogTrust(keys: [], policy: policy)).run()
        #expect(report.isGood && report.voucher?.witnesses == [witness.verifier])
        let bare = try await LogAudit(FolderLogSource(origin.path), trust: try LogTrust(keys: [], policy: policy)).run()
        #expect(bare.fault?.kind == .checkpoint)
    }

    @Test func `a mirror goes on where it was stopped`() async throws {
        do {
            let mirror = try await open()
            _ = try await mirror.round()
        }
        try grow(to: 900)
        let again = try await open()
        #expect(again.checkpoint?.checkpoint.size == 300)
        #expect(try await again.round()?.checkpoint.size == 900)
    }

    @Test func `a fork ends the mirror at once where one size has two roots, and both are kept`() async throws {
        let mirror = try await open()
        _ = try await mirror.round()
        var forked = events
        forked.swapAt(0, 1)
        try AuditFixture.write(Array(forked.prefix(300)), to: origin.path, signer: log)
        let stopped = try await #require(throws: LogMirror.Stopped.self) { try await mirror.round() }
        let evidence = try #require(stopped.evidence)
        let ours = try SignedCheckpoint(parsing: try String(contentsOfFile: evidence + "/ours", encoding: .utf8), keys: [log.verifier])
        let theirs = try SignedCheckpoint(parsing: try String(contentsOfFile: evidence + "/theirs", encoding: .utf8), keys: [log.verifier])
        #expect(ours.checkpoint.size == 300 && theirs.checkpoint.size == 300 && ours.checkpoint.root != theirs.checkpoint.root)
        #expect(try await AuditFixture.audit(copy.path).isGood)
    }

    @Test(arguments: [true, false])
    func `a log that forks in growing, or shrinks for good, ends the mirror`(grows: Bool) async throws {
        let mirror = try await open()
        _ = try await mirror.round()
        var forked = events
        forked.swapAt(0, 1)
        try AuditFixture.write(Array(grows ? forked.prefix(800) : events.prefix(200)), to: origin.path, signer: log)
        for _ in 0..<2 { await #expect(throws: AuditFault.self) { try await mirror.round() } }
        let stopped = try await #require(throws: LogMirror.Stopped.self) { try await mirror.round() }
        #expect(stopped.fault.kind == (grows ? .history : .shrunk))
        #expect(stopped.evidence != nil)
        #expect(mirror.checkpoint?.checkpoint.size == 300)
    }

    @Test func `a cache that is behind for a moment does no harm`() async throws {
        let mirror = try await open()
        try grow(to: 800)
        _ = try await mirror.round()
        try grow(to: 300)
        await #expect(throws: AuditFault.self) { try await mirror.round() }
        try grow(to: 900)
        #expect(try await mirror.round()?.checkpoint.size == 900)
    }

    @Test func `a submission is cosigned at once, remembered, and reached by the copy later`() async throws {
        let mirror = try await open()
        _ = try await mirror.round()
        let line = try await mirror.submit(try await submission(old: 300, size: 600))
        #expect(line.isValid(by: witness.verifier, over: Checkpoint(origin: AuditFixture.origin, size: 600, root: root(600)).text))
        #expect(line.time == 1_763_700_123)
        #expect(mirror.checkpoint?.checkpoint.size == 300)
        try grow(to: 700)
        #expect(try await mirror.round()?.checkpoint.size == 700)
        #expect(mirror.checkpoint?.note.signatures.contains { $0.isBy(witness.verifier) } == true)
        await #expect(throws: WitnessState.Refusal.stale(size: 700)) { try await mirror.submit(try await submission(old: 600, size: 650)) }
    }

    @Test func `what is submitted while an older checkpoint is copied keeps that one from being cosigned`() async throws {
        let mirror = try await open()
        try grow(to: 700)
        let body = try await submission(old: 0, size: 800)
        server.before("tile/entries/001") { _ = try? await mirror.submit(body) }
        let older = try #require(try await mirror.round())
        #expect(older.checkpoint.size == 700)
        // A cosignature says "the largest I have seen"; of 700 events that is no longer true.
        #expect(!older.note.signatures.contains { $0.isBy(witness.verifier) })
        try grow(to: 800)
        let newer = try #require(try await mirror.round())
        #expect(newer.checkpoint.size == 800)
        try newer.note.verify(by: witness.verifier)
    }

    @Test func `what a witness refuses, it refuses after a restart too`() async throws {
        do {
            let mirror = try await open()
            _ = try await mirror.submit(try await submission(old: 0, size: 500))
        }
        let mirror = try await open()
        await #expect(throws: WitnessState.Refusal.stale(size: 500)) { try await mirror.submit(try await submission(old: 0, size: 600)) }
        var forked = events
        forked.swapAt(10, 11)
        await #expect { try await mirror.submit(try await submission(old: 500, size: 600, of: forked)) } throws: {
            if case WitnessState.Refusal.badProof = $0 { true } else { false }
        }
        let kept = try FileManager.default.contentsOfDirectory(atPath: copy.path("evidence"))
        #expect(kept.count == 1 && kept[0].hasPrefix("600-"))
        await #expect(throws: WitnessState.Refusal.badSignature) {
            try await mirror.submit(try await submission(old: 500, size: 600, signer: try AuditFixture.signer(9)))
        }
        await #expect(throws: WitnessState.Refusal.unknownOrigin) {
            let body = String(decoding: try await submission(old: 500, size: 600), as: UTF8.self)
            return try await mirror.submit(Array(body.replacing(AuditFixture.origin, with: "other.example/log").utf8))
        }
        for body in ["", "old 5", "old 05\n\nx", "old 700\n\n"] {
            await #expect(throws: WitnessState.Refusal.self) { try await mirror.submit(Array(body.utf8)) }
        }
    }

    @Test func `a bad proof of a good checkpoint is no evidence, and of forks only so many are kept`() async throws {
        let mirror = try await open()
        _ = try await mirror.submit(try await submission(old: 0, size: 300))
        try grow(to: 1_200)
        // The log's own newest checkpoint, which anybody can fetch, with a proof that is none.
        for size in [700, 1_200] {
            let good = try AddCheckpointRequest(parsing: String(decoding: try await submission(old: 300, size: size), as: UTF8.self))
            let bad = AddCheckpointRequest(oldSize: 300, proof: [Merkle.leaf([1])], checkpoint: good.checkpoint)
            await #expect { try await mirror.submit(Array(bad.encoded.utf8)) } throws: {
                if case WitnessState.Refusal.badProof = $0 { true } else { false }
            }
        }
        #expect(!FileManager.default.fileExists(atPath: copy.path("evidence")))
        var forked = events
        forked.swapAt(0, 1)
        for size in 300..<320 {
            let body = try await submission(old: 300, size: size, of: forked)
            await #expect(throws: WitnessState.Refusal.self) { try await mirror.submit(body) }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: copy.path("evidence")).count == 16)
    }

    @Test func `of submissions at once one history comes out`() async throws {
        let mirror = try await open()
        let bodies = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for size in 1...20 { group.addTask { try await submission(old: 0, size: size * 10) } }
            return try await group.reduce(into: [[UInt8]]()) { $0.append($1) }
        }
        let cosigned = await withTaskGroup(of: Bool.self) { group in
            for body in bodies { group.addTask { (try? await mirror.submit(body)) != nil } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(cosigned == 1, "all began at size 0, so one alone can be next")
    }

    @Test func `a memory that was tampered with is not trusted`() async throws {
        _ = try await open().submit(try await submission(old: 0, size: 500))
        try AuditFixture.alter(copy.path, "cosigned") { $0[AuditFixture.origin.utf8.count + 1] ^= 1 }
        await #expect(throws: LogSourceError.self) { try await open() }
    }

    private func root(_ size: Int) -> Digest { Merkle.root(of: events.prefix(size).map { Merkle.leaf($0) }) }
}
