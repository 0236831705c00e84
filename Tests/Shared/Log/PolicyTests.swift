import Crypto
import EventLog
import Testing

@Suite struct PolicyTests {
    static func witness(_ seed: UInt8) throws -> NoteSigner { try AuditFixture.signer(seed, name: "w\(seed).example", type: .cosignature) }

    /// The example of C2SP's tlog-policy, with keys.
    static func example() throws -> String {
        let keys = try (1...6).map { try witness(UInt8($0)).verifier.description }
        return """
            # Two organisations with three witnesses each.
            log \(try AuditFixture.signer().verifier) https://log.example/
            witness X1 \(keys[0])
            witness X2 \(keys[1])
            \twitness  X3\t\(keys[2]) https://x3.example/
            group X-witnesses 2 X1 X2 X3

            witness Y1 \(keys[3])
            witness Y2 \(keys[4])
            witness Y3 \(keys[5])
            group Y-witnesses any Y1 Y2 Y3

            group X-and-Y all X-witnesses Y-witnesses
            quorum X-and-Y

            """
    }

    @Test(arguments: [
        ([], false), ([1, 2], false), ([4, 5, 6], false), ([1, 4], false), ([1, 2, 4], true), ([2, 3, 6], true),
        ([1, 2, 3, 4, 5, 6], true),
    ])
    func `a quorum of groups is met by enough of each`(witnesses: [UInt8], isMet: Bool) throws {
        let trust = try LogTrust(keys: [], policy: try WitnessPolicy(parsing: try Self.example()))
        let log = try AuditFixture.signer()
        var signed = try SignedCheckpoint(signing: Checkpoint(origin: AuditFixture.origin, size: 5, root: .zero), by: [log])
        for seed in witnesses { signed.add(try Self.witness(seed).sign(signed.note.text, time: 1)) }
        if isMet {
            let voucher = try trust.verify(signed.note.encoded).voucher
            #expect(voucher.witnesses.count == witnesses.count && voucher.signers == [log.verifier])
        } else {
            #expect(throws: NoteError.self) { try trust.verify(signed.note.encoded) }
        }
    }

    @Test func `a cosignature over another text or by another key does not count`() throws {
        let witness = try Self.witness(1)
        let policy = try WitnessPolicy(parsing: "witness w \(witness.verifier)\nquorum w")
        var signed = try SignedCheckpoint(
            signing: Checkpoint(origin: AuditFixture.origin, size: 5, root: .zero), by: [AuditFixture.signer()])
        signed.add(try witness.sign(Checkpoint(origin: AuditFixture.origin, size: 6, root: .zero).text, time: 1))
        signed.add(try AuditFixture.signer(2, name: "w1.example", type: .cosignature).sign(signed.note.text, time: 1))
        #expect(policy.cosigners(of: signed.note).isEmpty)
        signed.add(try witness.sign(signed.note.text, time: 1))
        #expect(policy.isSatisfied(by: policy.cosigners(of: signed.note)))
    }

    @Test func `no quorum asks for no witness, and then there must be a key`() throws {
        let policy = try WitnessPolicy(parsing: "quorum none\n")
        #expect(throws: NoteError.self) { try LogTrust(keys: [], policy: policy) }
        #expect(try LogTrust(keys: [], policy: policy, pinned: [AuditFixture.signer().verifier]).origin == .pinned)
        #expect(try LogTrust(keys: [AuditFixture.signer().verifier], policy: policy).origin == .given)
    }

    @Test(arguments: [
        "", "quorum x", "quorum none\nquorum none", "nonsense", "log", "log x", "witness w", "group g 1 x\nquorum g",
        "witness none KEY\nquorum none",
        "witness w KEY\nwitness w KEY2\nquorum w", "witness w KEY\nwitness v KEY\nquorum w", "witness w KEY\ngroup g 2 w\nquorum g",
        "witness w KEY\ngroup g 0 w\nquorum g", "witness w KEY\ngroup g all w w\nquorum g",
        "witness w KEY\ngroup g all w\ngroup h all w\nquorum g",
        "witness w LOG\nquorum w", "group g any g\nquorum g", "witness w KEY\u{1}\nquorum w",
    ])
    func `what is no policy is refused`(text: String) throws {
        let filled = text.replacing("KEY2", with: try Self.witness(2).verifier.description)
            .replacing("KEY", with: try Self.witness(1).verifier.description).replacing(
                "LOG", with: try AuditFixture.signer().verifier.description)
        #expect(throws: NoteError.self) { try WitnessPolicy(parsing: filled) }
    }

    @Test func `a wrong signature by a known key spoils a note that another key signed well`() throws {
        let (old, new) = (try AuditFixture.signer(1), try AuditFixture.signer(2))
        var signed = try SignedCheckpoint(signing: Checkpoint(origin: AuditFixture.origin, size: 1, root: .zero), by: [new])
        signed.add(try old.sign("something else\n"))
        #expect(throws: NoteError.badSignature(key: AuditFixture.origin)) {
            try SignedCheckpoint(parsing: signed.note.encoded, keys: [old.verifier, new.verifier])
        }
        _ = try SignedCheckpoint(parsing: signed.note.encoded, keys: [new.verifier])
    }
}
