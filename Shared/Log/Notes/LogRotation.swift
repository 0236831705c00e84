internal import Crypto

/// One log key's word for the next, which whoever trusts the one can follow to the other.
public struct LogRotation: Sendable, Hashable {
    /// The key that was trusted so far.
    public let previous: VerifierKey
    /// The key that follows it.
    public let next: VerifierKey
    /// The previous key's, over ``statement(origin:next:)``.
    public let signature: [UInt8]

    /// A rotation from its parts, which may not hold.
    public init(previous: VerifierKey, next: VerifierKey, signature: [UInt8]) {
        self.previous = previous
        self.next = next
        self.signature = signature
    }

    /// What the previous key signs.
    public static func statement(origin: String, next: VerifierKey) -> [UInt8] {
        Array("openledger/log-key-rotation\n\(origin)\n\(next)\n".utf8)
    }

    /// Whether both are keys of one log and the previous one signed for the next.
    public var holds: Bool {
        guard previous.name == next.name, previous.type == .ed25519, next.type == .ed25519,
            let key = try? Ed25519PublicKey(previous.publicKey)
        else { return false }
        return key.isValid(signature: signature, for: Self.statement(origin: previous.name, next: next))
    }

    /// Reads `<previous vkey> <next vkey> <base64 of the signature>`.
    public init(line: String) throws(NoteError) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = Base64.decode(String(parts[2])) else {
            throw .malformed(what: "key rotation", reason: "not <verifier key> <verifier key> <base64 of a signature>")
        }
        self.init(previous: try VerifierKey(vkey: String(parts[0])), next: try VerifierKey(vkey: String(parts[1])), signature: signature)
    }

    /// The line without its newline.
    public var line: String { "\(previous) \(next) \(Base64.encode(signature))" }

    /// Reads a list, oldest first, one a line.
    public static func list(_ text: String) throws(NoteError) -> [LogRotation] {
        var list: [LogRotation] = []
        for line in text.split(separator: "\n") { list.append(try LogRotation(line: String(line))) }
        return list
    }

    /// A list as it is served.
    public static func text(_ list: [LogRotation]) -> String { list.map { $0.line + "\n" }.joined() }

    /// Throws unless each is signed by its predecessor and goes on where the one before it ended.
    static func check(_ list: [LogRotation]) throws(NoteError) {
        for (place, rotation) in list.enumerated() {
            guard rotation.holds else {
                throw .malformed(what: "key rotation \(place + 1)", reason: "\(rotation.previous) did not sign for \(rotation.next)")
            }
            guard place == 0 || list[place - 1].next == rotation.previous else {
                throw .malformed(
                    what: "key rotation \(place + 1)",
                    reason: "is the word of \(rotation.previous), which is not the key that the one before it names")
            }
        }
    }
}
