public import Crypto
public import EventLog

/// The keys that sign this log's checkpoints, newest first. After a rotation the older ones sign too for as long as their
/// files are kept, so that whoever trusts an old key can go on verifying until they have taken up the new one.
public struct LogKeys: Sendable {
    /// The log's name.
    public let origin: String
    /// What signs, newest first.
    let signers: [NoteSigner]
    private let keys: [Ed25519PrivateKey]

    /// Keys under a log's name.
    /// - Throws: ``NoteError`` when the name can't be a key's name or there is no key.
    public init(origin: String, keys: [Ed25519PrivateKey]) throws {
        self.origin = origin
        self.keys = keys
        signers = try keys.map { key in
            guard origin.utf8.count <= 200, let signer = NoteSigner(name: origin, key: key) else {
                throw NoteError.malformed(what: "log origin", reason: "\(origin) may not have spaces or a plus, and at most 200 bytes")
            }
            return signer
        }
        guard !signers.isEmpty else { throw NoteError.malformed(what: "log key", reason: "there is none") }
    }

    /// The public halves, newest first.
    public var verifiers: [VerifierKey] { signers.map(\.verifier) }

    /// One key's signature over a text.
    /// - Parameter place: which key, 0 for the newest.
    func sign(_ text: [UInt8], by place: Int) throws -> [UInt8] { try keys[place].sign(text) }

    /// Whether all of them signed a checkpoint.
    func haveSigned(_ checkpoint: SignedCheckpoint) -> Bool {
        verifiers.allSatisfy { key in checkpoint.note.signatures.contains { $0.isBy(key) } }
    }
}
