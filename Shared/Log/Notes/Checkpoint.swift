public import Crypto

/// What a log commits to: its name, its size and its root (C2SP tlog-checkpoint).
public struct Checkpoint: Sendable, Hashable {
    /// The log's name, a URL without a scheme; also the name of the key that signs.
    public let origin: String
    /// How many entries.
    public let size: UInt64
    /// RFC 6962's root over them.
    public let root: Digest

    /// A checkpoint from its parts.
    public init(origin: String, size: UInt64, root: Digest) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// Reads a note's text. Extension lines are allowed and ignored, as the format says.
    public init(text: String) throws(NoteError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 4, lines.last == "", !lines[0].isEmpty, let size = UInt64(lines[1]), String(size) == lines[1],
            let hash = Base64.decode(String(lines[2])), let root = Digest(hash), lines.dropFirst(3).dropLast().allSatisfy({ !$0.isEmpty })
        else { throw .malformed(what: "checkpoint", reason: "not <origin>, <size>, <base64 of a root> on three lines") }
        origin = String(lines[0])
        self.size = size
        self.root = root
    }

    /// The text that is signed.
    public var text: String { "\(origin)\n\(size)\n\(Base64.encode(root.bytes))\n" }
}

/// A checkpoint with the note it came in.
public struct SignedCheckpoint: Sendable, Equatable {
    /// What was signed.
    public let checkpoint: Checkpoint
    /// As it is served.
    public private(set) var note: SignedNote

    /// Signs a checkpoint with each of the keys.
    public init(signing checkpoint: Checkpoint, by signers: [NoteSigner]) throws {
        self.checkpoint = checkpoint
        note = SignedNote(text: checkpoint.text, signatures: try signers.map { try $0.sign(checkpoint.text) })
    }

    /// Reads a note and verifies the log's signature: by at least one of the keys, all of which must be of this log. A wrong
    /// signature by any of them spoils the note, as signed-note says.
    public init(parsing text: String, keys: [VerifierKey]) throws(NoteError) {
        try self.init(unverified: text)
        let known = keys.filter { key in note.signatures.contains { $0.isBy(key) } }
        guard !known.isEmpty else { throw NoteError.unsigned(key: keys.first?.name ?? "any known key") }
        for key in known {
            try note.verify(by: key)
            guard key.name == checkpoint.origin else { throw .foreignOrigin(expected: key.name, found: checkpoint.origin) }
        }
    }

    /// Reads a note without looking at its signatures.
    public init(unverified text: String) throws(NoteError) {
        note = try SignedNote(parsing: text)
        checkpoint = try Checkpoint(text: note.text)
    }

    /// Adds a witness's line.
    public mutating func add(_ signature: NoteSignature) { note.add(signature) }
}
