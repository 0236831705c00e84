public import Crypto

/// Where API keys are looked up, and keys that requests are signed by.
public protocol APIKeyStore: Sendable {
    /// The record of the key with that hash; nil when there is none or it was revoked.
    func record(for hash: Digest) async throws -> APIKeyRecord?
    /// Adds a key, or replaces what is kept of it.
    func add(_ record: APIKeyRecord) async throws
    /// Ends a key at once; one that is not known stays so.
    func revoke(_ hash: Digest) async throws
    /// Whose key requests are signed by; nil when it is not known here.
    /// - Parameter keyID: a JWK thumbprint (RFC 7638), or did:key.
    func holder(of keyID: String) async throws -> KeyHolder?
    /// Whose key requests are signed by that say themselves where their keys are; nil when it is not there.
    /// - Parameters:
    ///   - keyID: a JWK thumbprint (RFC 7638).
    ///   - agent: the origin that has the directory of keys.
    func holder(of keyID: String, at agent: String) async throws -> KeyHolder?
    /// The second since 1970 up to which the tokens of a person or agent hold no more, because a key of theirs was given up then; nil where
    /// none was.
    func tokensEnd(of subject: String) async throws -> Int64?
}

extension APIKeyStore {
    /// Most stores know API keys alone.
    public func holder(of keyID: String) async throws -> KeyHolder? { nil }

    /// Most stores ask nobody else.
    public func holder(of keyID: String, at agent: String) async throws -> KeyHolder? { nil }

    /// Most stores know nothing of tokens.
    public func tokensEnd(of subject: String) async throws -> Int64? { nil }

    /// Whose key it is; nil when it is not known, revoked or past its end.
    /// - Parameter now: seconds since 1970.
    public func caller(for key: APIKey, now: Int64 = UnixTime.now) async throws -> Caller? {
        guard let record = try await record(for: key.hash), key.matches(record.hash) else { return nil }
        if let expiry = record.expiry, now >= expiry { return nil }
        return record.caller
    }
}
