import Crypto
import EventLog
import Foundation
import TestSupport
import Testing

/// Whoever trusts a log's first key follows it to the newest, and nobody else's.
@Suite struct RotationTests {
    private let keys: [Ed25519PrivateKey]
    private let signers: [NoteSigner]

    init() throws {
        keys = try (0..<4).map { _ in try Ed25519PrivateKey.generate() }
        signers = try keys.map { try #require(NoteSigner(name: AuditFixture.origin, key: $0)) }
    }

    /// The word of one key for another, signed by a third where one is given.
    private func word(_ previous: Int, _ next: Int, by signer: Int? = nil) throws -> LogRotation {
        let statement = LogRotation.statement(origin: AuditFixture.origin, next: signers[next].verifier)
        return LogRotation(
            previous: signers[previous].verifier, next: signers[next].verifier, signature: try keys[signer ?? previous].sign(statement))
    }

    private func note(by signer: Int) throws -> String {
        try SignedCheckpoint(signing: Checkpoint(origin: AuditFixture.origin, size: 0, root: Merkle.emptyRoot), by: [signers[signer]])
            .note.encoded
    }

    @Test func `a key that was rotated twice leads to the third, and says how`() throws {
        let first = try LogTrust(keys: [signers[0].verifier])
        let list = try LogRotation.list(LogRotation.text([try word(0, 1), try word(1, 2)]))
        let trust = try first.following(list)
        #expect(trust.keys == signers.prefix(3).map(\.verifier) && trust.followed == signers[1...2].map(\.verifier))
        let voucher = try trust.verify(try note(by: 2)).voucher
        #expect(voucher.followed == [signers[2].verifier] && voucher.origin == .given)
        #expect(voucher.description.contains("which follows from the key you gave"))
        #expect(try trust.verify(try note(by: 0)).voucher.description.contains("signed by the key you gave"))
        #expect(throws: NoteError.self) { try trust.verify(try note(by: 3)) }
        #expect(throws: NoteError.self) { try first.verify(try note(by: 2)) }
        // Who knows the second key only does not come to trust the first.
        #expect(try LogTrust(keys: [signers[1].verifier]).following(list).keys == signers[1...2].map(\.verifier))
    }

    @Test func `a broken chain, a forged word and a second successor are refused whole`() throws {
        let trust = try LogTrust(keys: [signers[0].verifier])
        let elsewhere = try #require(VerifierKey(name: "other.example/log", publicKey: signers[1].verifier.publicKey))
        let bad: [[LogRotation]] = [
            [try word(0, 1), try word(2, 3)], [try word(1, 2), try word(0, 1)], [try word(0, 1), try word(0, 2)],
            [try word(0, 1, by: 3)], [try word(0, 1), try word(1, 2, by: 0)],
            [LogRotation(previous: signers[0].verifier, next: elsewhere, signature: try word(0, 1).signature)],
            [LogRotation(previous: signers[0].verifier, next: signers[1].verifier, signature: [UInt8](repeating: 0, count: 64))],
        ]
        for list in bad { #expect(throws: NoteError.self, "\(list)") { try trust.following(list) } }
        for text in ["x", "a b c", try word(0, 1).line + " ", try word(0, 1).line.replacingOccurrences(of: " ", with: "\t")] {
            #expect(throws: NoteError.self, "\(text)") { try LogRotation.list(text) }
        }
        // A chain that does not come from the trusted key leads nowhere.
        #expect(try trust.following([try word(2, 3)]).keys == trust.keys)
    }

    @Test func `a bundle carries the rotations, and an audit by the first key follows them`() async throws {
        let (origin, bundle) = (try TemporaryFolder("rotation"), try TemporaryFolder("rotation"))
        var random = Seed.generator("rotation")
        let events = try AuditFixture.events(40, &random)
        try AuditFixture.write(events, to: origin.path, signer: signers[2], pinned: false)
        let list = [try word(0, 1), try word(1, 2)]
        try AuditFixture.put(Array(LogRotation.text(list).utf8), origin.path, "rotations")
        let server = FolderServer(origin.path)
        let first = try LogTrust(keys: [signers[0].verifier])
        let source = server.source(local: bundle.path)
        #expect(try await source.rotations() == list)
        let trust = try first.following(try await source.rotations())
        _ = try await LogExport(source, to: bundle.path, trust: trust).run()
        let copy = FolderLogSource(bundle.path)
        #expect(try await copy.rotations() == list)
        #expect(try await LogAudit(copy, trust: try first.following(try await copy.rotations())).run().isGood)
        #expect(try await LogAudit(copy, trust: first).run().fault?.kind == .checkpoint)
        // Another history of the keys is not taken over, and fewer words take none away.
        try AuditFixture.put(Array(LogRotation.text([try word(0, 3)]).utf8), origin.path, "rotations")
        await #expect(throws: LogSourceError.self) { try await LogExport(source, to: bundle.path, trust: trust).run() }
        try AuditFixture.remove(origin.path, "rotations")
        _ = try await LogExport(source, to: bundle.path, trust: trust).run()
        #expect(try await copy.rotations() == list)
    }

    @Test func `a mirror goes on over a rotation, also when it is started again, and stops for a forged one`() async throws {
        let (origin, copy) = (try TemporaryFolder("rotation"), try TemporaryFolder("rotation"))
        var random = Seed.generator("rotation-mirror")
        let events = try AuditFixture.events(90, &random)
        let server = FolderServer(origin.path)
        let witness = try AuditFixture.signer(42, name: "mirror.example/m", type: .cosignature)
        func open() async throws -> LogMirror {
            try await LogMirror(
                upstream: server.source(local: copy.path), folder: copy.path, trust: try LogTrust(keys: [signers[0].verifier]),
                signer: witness, clock: { 1_763_700_123 })
        }
        func grow(_ size: Int, by signer: Int, _ words: [LogRotation]) throws {
            try AuditFixture.write(Array(events.prefix(size)), to: origin.path, signer: signers[signer], pinned: false)
            try AuditFixture.put(Array(LogRotation.text(words).utf8), origin.path, "rotations")
        }
        try grow(30, by: 0, [])
        var mirror = try await open()
        #expect(try await mirror.round()?.checkpoint.size == 30)
        try grow(50, by: 1, [])
        await #expect(throws: NoteError.self, "nobody has vouched for the second key") { try await mirror.round() }
        try grow(50, by: 1, [try word(0, 1, by: 3)])
        await #expect(throws: NoteError.self, "nobody who could") { try await mirror.round() }
        try grow(50, by: 1, [try word(0, 1)])
        #expect(try await mirror.round()?.checkpoint.size == 50)
        try grow(70, by: 2, [try word(0, 1), try word(1, 2)])
        #expect(try await mirror.round()?.checkpoint.size == 70)
        #expect(mirror.logKeys == signers.prefix(3).map(\.verifier))
        let words = [try word(0, 1), try word(1, 2)]
        #expect(mirror.logRotations == words)
        // What it has learned is in its folder: the log need not say it again.
        try grow(90, by: 2, [])
        mirror = try await LogMirror(
            upstream: FolderLogSource(origin.path), folder: try TemporaryFolder("rotation").path,
            trust: try LogTrust(keys: [signers[2].verifier]), signer: witness, clock: { 1_763_700_123 })
        #expect(try await mirror.round()?.checkpoint.size == 90)
        mirror = try await open()
        #expect(try await mirror.round()?.checkpoint.size == 90)
    }
}
