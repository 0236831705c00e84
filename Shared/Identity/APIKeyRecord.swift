public import Crypto

/// What is kept of an API key.
public struct APIKeyRecord: Sendable, Hashable {
    /// The key's SHA-256.
    public let hash: Digest
    /// Whose key it is and what it may do.
    public let caller: Caller
    /// The second since 1970 at which it ends; nil when it does not end by itself.
    public let expiry: Int64?

    /// What is kept of an API key.
    public init(hash: Digest, caller: Caller, expiry: Int64? = nil) {
        self.hash = hash
        self.caller = caller
        self.expiry = expiry
    }
}
