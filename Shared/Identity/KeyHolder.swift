public import Crypto

/// Whose key signs requests (RFC 9421), and what it may do.
public struct KeyHolder: Sendable, Hashable {
    /// Who it is.
    public let caller: Caller
    /// What checks their signatures.
    public let key: Ed25519PublicKey

    /// A holder with their key.
    public init(caller: Caller, key: Ed25519PublicKey) {
        self.caller = caller
        self.key = key
    }
}
