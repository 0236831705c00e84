public import Crypto

/// A key that a program shows instead of a token: 256 random bits as `olk_` and 43 letters. Kept as its SHA-256 only, which
/// for so many random bits is as good as a slow password hash and takes a microsecond.
public struct APIKey: Sendable, Hashable, CustomStringConvertible {
    /// What every key begins with, so that scanners of source code can find one that was left there.
    public static let prefix = "olk_"

    private let secret: SecretString

    /// Takes a key as a caller showed it; nil when it cannot be one.
    public init?(_ text: String) {
        guard text.utf8.count == 47, text.utf8.starts(with: Self.prefix.utf8),
            Base64URL.decode(String(text.dropFirst(Self.prefix.count)))?.count == 32
        else { return nil }
        secret = SecretString(text)
    }

    /// Makes a new key from the system's randomness.
    public static func generate() -> APIKey { APIKey(bits: Random.bytes(32)) }

    private init(bits: [UInt8]) { secret = SecretString(Self.prefix + Base64URL.encode(bits)) }

    /// The key itself, to show once to its owner.
    public func reveal() -> String { secret.reveal() }

    /// What is kept of the key.
    public var hash: Digest { SHA256.hash(utf8: secret.reveal()) }

    /// Whether what is kept is this key's, compared in constant time.
    public func matches(_ hash: Digest) -> Bool { constantTimeEqual(self.hash.bytes, hash.bytes) }

    /// The prefix only.
    public var description: String { Self.prefix + "[secret]" }
}
