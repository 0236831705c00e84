import Crypto
import EventLog
import Foundation
import JSON
import TestSupport
import Testing

@testable import openledger

@Suite struct AuditCommandTests {
    let log: CommandLog
    let written = Written()

    init() throws { log = try CommandLog() }

    @Test func `a sound log is status 0, and says who vouches`() async throws {
        #expect(
            await AuditCommand.run(["--log-only", log.folder.path, "--key", log.signer.verifier.description], console: written.console) == 0
        )
        #expect(written.out.contains("The log is sound.") && written.out.contains("600 events") && written.out.contains("the key you gave"))
    }

    @Test func `without a key the log's own is taken, and said to be`() async throws {
        #expect(await AuditCommand.run(["--log-only", log.folder.path], console: written.console) == 0)
        #expect(written.out.contains("compare it with one you got elsewhere"))
    }

    @Test func `a bad log is status 1 with its first bad position, in words and for machines`() async throws {
        var altered = log.events
        altered.swapAt(400, 401)
        try log.put(EntryBundle.encode(altered[256..<512]), "tile/entries/001")
        #expect(await AuditCommand.run(["--log-only", log.folder.path], console: written.console) == 1)
        #expect(written.out.contains("THE LOG IS BAD: position 400"))
        let machine = Written()
        #expect(await AuditCommand.run(["--log-only", log.folder.path, "--json"], console: machine.console) == 1)
        guard case .object(let report) = try JSON.parse(machine.out), case .object(let fault)? = report["fault"] else {
            Issue.record("\(machine.out)")
            return
        }
        #expect(report["sound"] == .bool(false) && fault["position"] == .int(400) && fault["kind"] == .string("entry"))
    }

    @Test(arguments: [
        ([], "LOG is missing"), (["x", "y"], "too much"), (["x", "--kee", "k"], "did you mean --key"),
        (["/nowhere/at/all"], "no such folder"),
        (["x", "--key", "nonsense"], "--key: verifier key"), (["x", "--threads", "0"], "from 1 to 64"),
        (["http://127.0.0.1:1/log", "--policy", "/nowhere"], "/nowhere"),
    ])
    func `what cannot be understood or read is status 2 and says why`(words: [String], reason: String) async {
        #expect(await AuditCommand.run(words, console: written.console) == 2)
        #expect(written.err.contains(reason), "\(written.err)")
        #expect(written.out.isEmpty)
    }

    @Test(arguments: [AuditCommand.specification, ExportCommand.specification, VerifyCommand.specification, MirrorCommand.specification])
    func `help fits a terminal`(specification: ArgumentSpecification) {
        #expect(specification.help.split(separator: "\n").allSatisfy { $0.count <= 140 }, "\(specification.help)")
    }

    @Test func `an export audits, continues, and refuses another history`() async throws {
        let outer = try TemporaryFolder("bundle")
        // A folder that is not there yet.
        let bundle = (path: outer.path("new/bundle"), outer)
        #expect(await ExportCommand.run([log.folder.path, bundle.path], console: written.console) == 0)
        try log.write(1_000)
        #expect(await ExportCommand.run([log.folder.path, bundle.path], console: written.console) == 0)
        #expect(written.out.contains("1,000 events, 400 of them new"))
        #expect(await AuditCommand.run(["--log-only", bundle.path], console: written.console) == 0)
        var other = log.events
        other.swapAt(1, 2)
        try log.write(1_000, of: other)
        #expect(await ExportCommand.run([log.folder.path, bundle.path], console: written.console) == 1)
        #expect(written.err.contains("THE LOG IS BAD"))
        #expect(await AuditCommand.run(["--log-only", log.folder.path, "--checkpoints", bundle.path], console: written.console) == 1)
    }
}

@Suite struct VerifyCommandTests {
    let log: CommandLog
    let written = Written()

    init() throws { log = try CommandLog() }

    func file(_ text: String) throws -> String { try log.folder.write(text, to: "one.tlog-proof") }

    @Test func `a proof holds by the key alone, and the event is told`() async throws {
        let path = try file(try await log.proof(123))
        #expect(await VerifyCommand.run([path, "--key", log.signer.verifier.description], console: written.console) == 0)
        #expect(
            written.out.contains("The proof holds.") && written.out.contains("hold.placed v1")
                && written.out.contains("position 123 of 600"))
    }

    @Test func `a proof without its event needs it beside it`() async throws {
        let path = try file(try await log.proof(5, extra: false))
        let key = ["--key", log.signer.verifier.description]
        #expect(await VerifyCommand.run([path] + key, console: written.console) == 1)
        try log.put(log.events[5], "five")
        #expect(await VerifyCommand.run([path, "--event", log.folder.path("five")] + key, console: written.console) == 0)
        try log.put(log.events[6], "five")
        #expect(await VerifyCommand.run([path, "--event", log.folder.path("five")] + key, console: written.console) == 1)
    }

    @Test func `a proof vouches for nothing by itself`() async throws {
        let path = try file(try await log.proof(5))
        #expect(await VerifyCommand.run([path], console: written.console) == 2)
        #expect(written.err.contains("whose signature to believe"))
        let other = try #require(NoteSigner(name: CommandLog.origin, key: try Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: 32))))
        #expect(await VerifyCommand.run([path, "--key", other.verifier.description], console: written.console) == 1)
        #expect(written.err.contains("DOES NOT HOLD"))
    }

    @Test func `an event can't steer the terminal that shows it`() async throws {
        let evil = Array("{\"x\":\"\u{1B}[2J\"}".utf8)
        let note = try SignedCheckpoint(signing: Checkpoint(origin: CommandLog.origin, size: 1, root: Merkle.leaf(evil)), by: [log.signer])
            .note.encoded
        let path = try file(TlogProof(extra: evil, index: 0, hashes: [], checkpoint: note).encoded)
        #expect(await VerifyCommand.run([path, "--key", log.signer.verifier.description], console: written.console) == 0)
        #expect(!written.out.contains("\u{1B}"))
        #expect(written.out.contains("not an OpenLedger event"))
    }

    @Test func `witnesses by policy vouch as well as keys do`() async throws {
        let witness = try #require(
            NoteSigner(name: "w.example/1", type: .cosignature, key: try Ed25519PrivateKey(seed: [UInt8](repeating: 2, count: 32))))
        let policy = try log.folder.write("witness w \(witness.verifier)\nquorum w\n", to: "policy")
        let bare = try await log.proof(7)
        #expect(await VerifyCommand.run([try file(bare), "--policy", policy], console: written.console) == 1)
        let read = try TlogProof(parsing: bare)
        var signed = try SignedCheckpoint(unverified: read.checkpoint)
        signed.add(try witness.sign(signed.note.text, time: 1_763_700_000))
        let cosigned = TlogProof(extra: read.extra, index: read.index, hashes: read.hashes, checkpoint: signed.note.encoded)
        #expect(await VerifyCommand.run([try file(cosigned.encoded), "--policy", policy], console: written.console) == 0)
        #expect(written.out.contains("cosigned by w.example/1"))
    }
}
