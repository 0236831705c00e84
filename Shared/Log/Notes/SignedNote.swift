internal import Crypto

/// One signature line: `— <name> <base64(key id ‖ payload)>`.
public struct NoteSignature: Sendable, Hashable {
    /// Who signed.
    public let name: String
    /// Four bytes that tell keys of one name apart.
    public let keyID: [UInt8]
    /// The signature; for a cosignature eight bytes of time before it.
    public let payload: [UInt8]

    init(key: VerifierKey, payload: [UInt8]) {
        name = key.name
        keyID = key.id
        self.payload = payload
    }

    /// Reads a line without its newline.
    public init(line: some StringProtocol) throws(NoteError) {
        // By bytes: a mark that combines with the space before it must not hide the space.
        let parts = Array(line.utf8).split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("\u{2014}".utf8), let name = String(validating: parts[1], as: UTF8.self),
            VerifierKey.isName(name), let blob = Base64.decode(parts[2]), blob.count > 4
        else { throw .malformed(what: "signature line", reason: "not — <name> <base64>") }
        self.name = name
        keyID = Array(blob.prefix(4))
        payload = Array(blob.dropFirst(4))
    }

    /// The line without its newline.
    public var line: String { "\u{2014} \(name) \(Base64.encode(keyID + payload))" }

    /// Whether it is by this key, right or wrong.
    public func isBy(_ key: VerifierKey) -> Bool { key.name == name && key.id == keyID }

    /// A cosignature's time in POSIX seconds.
    public var time: UInt64? { payload.count == 72 ? payload.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } : nil }

    /// What a cosignature/v1 signs.
    static func cosigned(_ text: String, time: UInt64) -> [UInt8] { Array("cosignature/v1\ntime \(time)\n\(text)".utf8) }

    /// Whether the signature by this key holds.
    public func isValid(by key: VerifierKey, over text: String) -> Bool {
        guard isBy(key), let publicKey = try? Ed25519PublicKey(key.publicKey) else { return false }
        switch key.type {
        case .ed25519: return publicKey.isValid(signature: payload, for: Array(text.utf8))
        case .cosignature:
            guard let time else { return false }
            return publicKey.isValid(signature: Array(payload.dropFirst(8)), for: Self.cosigned(text, time: time))
        }
    }
}

/// A text and the signatures under it (C2SP signed-note).
public struct SignedNote: Sendable, Equatable {
    /// Room for sixteen post-quantum signatures and more, as the format asks of verifiers.
    public static let maximumBytes = 256 << 10

    /// The text with its last newline, without the empty line.
    public let text: String
    /// The signatures, in their order.
    public private(set) var signatures: [NoteSignature]

    /// A note from its parts.
    public init(text: String, signatures: [NoteSignature]) {
        self.text = text
        self.signatures = signatures
    }

    /// Reads a note. Unknown signatures are kept.
    public init(parsing note: String) throws(NoteError) {
        guard note.utf8.count <= Self.maximumBytes else { throw .malformed(what: "note", reason: "above \(Self.maximumBytes) bytes") }
        guard note.utf8.last == 0x0A, let gap = Self.lastGap(in: note) else {
            throw .malformed(what: "note", reason: "has no empty line before its signatures, or no newline at its end")
        }
        let text = String(note[..<gap])
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 || $0 == "\n" }) else {
            throw .malformed(what: "note", reason: "has control characters")
        }
        self.text = text
        signatures = []
        for line in note[note.index(after: gap)...].dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            signatures.append(try NoteSignature(line: line))
        }
    }

    /// The note as it is served.
    public var encoded: String { text + "\n" + signatures.map { $0.line + "\n" }.joined() }

    /// Adds a signature unless the same line is there.
    public mutating func add(_ signature: NoteSignature) {
        if !signatures.contains(signature) { signatures.append(signature) }
    }

    /// Throws unless this key signed the text.
    public func verify(by key: VerifierKey) throws(NoteError) {
        let lines = signatures.filter { $0.isBy(key) }
        guard !lines.isEmpty else { throw .unsigned(key: key.name) }
        guard lines.allSatisfy({ $0.isValid(by: key, over: text) }) else { throw .badSignature(key: key.name) }
    }

    /// The place of the empty line's newline: the last newline that follows another.
    private static func lastGap(in note: String) -> String.Index? {
        let scalars = note.unicodeScalars
        var at = scalars.endIndex
        while at > scalars.startIndex {
            let last = scalars.index(before: at)
            guard last > scalars.startIndex else { return nil }
            if scalars[last] == "\n", scalars[scalars.index(before: last)] == "\n" { return last }
            at = last
        }
        return nil
    }
}
