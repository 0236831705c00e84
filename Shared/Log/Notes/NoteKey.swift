public import Crypto

/// What is wrong with a signed note, a key, a checkpoint or a proof file.
public enum NoteError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Not of the form that the named format asks for.
    case malformed(what: String, reason: String)
    /// No signature by this key stands under the note.
    case unsigned(key: String)
    /// There is a signature by this key, and it is wrong.
    case badSignature(key: String)
    /// The note's first line names another log.
    case foreignOrigin(expected: String, found: String)

    /// The fault in one line.
    public var description: String {
        switch self {
        case .malformed(let what, let reason): "\(what): \(reason)"
        case .unsigned(let key): "no signature by \(key)"
        case .badSignature(let key): "the signature by \(key) is wrong"
        case .foreignOrigin(let expected, let found): "is of the log \(found), not of \(expected)"
        }
    }
}

/// The kinds of Ed25519 signature a note carries (C2SP signed-note, tlog-cosignature).
public enum NoteSignatureType: UInt8, Sendable {
    /// Over the note's text.
    case ed25519 = 0x01
    /// A witness's, over a time and the note's text.
    case cosignature = 0x04
}

/// A public key by the name it signs under: `name+<8 hex digits of the key id>+<base64 of type and key>`.
public struct VerifierKey: Sendable, Hashable, CustomStringConvertible {
    /// The name before the key id.
    public let name: String
    /// What it signs.
    public let type: NoteSignatureType
    /// 32 bytes.
    public let publicKey: [UInt8]
    /// SHA-256(name ‖ LF ‖ type ‖ key), its first four bytes.
    public let id: [UInt8]

    /// A key from its parts; nil unless the name may stand in a note and the key has 32 bytes.
    public init?(name: String, type: NoteSignatureType = .ed25519, publicKey: [UInt8]) {
        guard Self.isName(name), publicKey.count == 32 else { return nil }
        self.name = name
        self.type = type
        self.publicKey = publicKey
        id = Array(SHA256.hash(Array(name.utf8) + [0x0A, type.rawValue] + publicKey).bytes.prefix(4))
    }

    /// Reads a vkey line.
    public init(vkey: String) throws(NoteError) {
        let parts = vkey.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let stated = Hex.decode(String(parts[1])), let blob = Base64.decode(String(parts[2])),
            let first = blob.first
        else { throw .malformed(what: "verifier key", reason: "not <name>+<8 hex digits>+<base64 of type and key>") }
        guard let type = NoteSignatureType(rawValue: first) else {
            throw .malformed(what: "verifier key", reason: "signs by algorithm \(first); known are 1 (Ed25519) and 4 (Ed25519 cosignature)")
        }
        guard
            let key = VerifierKey(name: String(parts[0]), type: type, publicKey: Array(blob.dropFirst()))
        else { throw .malformed(what: "verifier key", reason: "not <name>+<8 hex digits>+<base64 of an Ed25519 key>") }
        guard key.id == stated else {
            throw .malformed(
                what: "verifier key", reason: "its id is \(Hex.encode(key.id)), not \(parts[1]): the name or the key was altered")
        }
        self = key
    }

    /// The vkey line.
    public var description: String {
        "\(name)+\(Hex.encode(id))+\(Base64.encode([type.rawValue] + publicKey))"
    }

    /// Signed-note: a name is not empty, and has neither Unicode spaces nor a plus. Control characters stand nowhere in a note.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "+" && !$0.properties.isWhitespace }
    }
}

/// A private key that signs notes.
public struct NoteSigner: Sendable {
    /// The public half.
    public let verifier: VerifierKey
    private let key: Ed25519PrivateKey

    /// A signer; nil when the name may not stand in a note.
    public init?(name: String, type: NoteSignatureType = .ed25519, key: Ed25519PrivateKey) {
        guard let verifier = VerifierKey(name: name, type: type, publicKey: key.publicKey.rawBytes) else { return nil }
        self.verifier = verifier
        self.key = key
    }

    /// A signature line for a note's text.
    /// - Parameter time: POSIX seconds; a cosignature states them, a plain signature has none.
    public func sign(_ text: String, time: UInt64 = 0) throws -> NoteSignature {
        switch verifier.type {
        case .ed25519: return NoteSignature(key: verifier, payload: try key.sign(Array(text.utf8)))
        case .cosignature:
            let signature = try key.sign(NoteSignature.cosigned(text, time: time))
            return NoteSignature(key: verifier, payload: withUnsafeBytes(of: time.bigEndian) { Array($0) } + signature)
        }
    }
}
