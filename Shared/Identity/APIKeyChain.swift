public import Crypto

/// Several stores of API keys as one: the first that knows a key answers; the first takes new ones.
public struct APIKeyChain: APIKeyStore {
    private let stores: [any APIKeyStore]

    /// - Parameter stores: asked in this order.
    public init(_ stores: [any APIKeyStore]) { self.stores = stores }

    /// The record of the first store that has one.
    public func record(for hash: Digest) async throws -> APIKeyRecord? {
        for store in stores { if let record = try await store.record(for: hash) { return record } }
        return nil
    }

    /// Adds to the first store.
    public func add(_ record: APIKeyRecord) async throws { try await stores.first?.add(record) }

    /// Ends a key wherever it is.
    public func revoke(_ hash: Digest) async throws { for store in stores { try await store.revoke(hash) } }

    /// The holder that the first store knows.
    public func holder(of keyID: String) async throws -> KeyHolder? {
        for store in stores { if let holder = try await store.holder(of: keyID) { return holder } }
        return nil
    }

    /// The holder that the first store finds there.
    public func holder(of keyID: String, at agent: String) async throws -> KeyHolder? {
        for store in stores { if let holder = try await store.holder(of: keyID, at: agent) { return holder } }
        return nil
    }

    /// The last that any store knows.
    public func tokensEnd(of subject: String) async throws -> Int64? {
        var last: Int64?
        for store in stores { if let end = try await store.tokensEnd(of: subject) { last = max(last ?? end, end) } }
        return last
    }
}
