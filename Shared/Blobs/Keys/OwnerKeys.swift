internal import Crypto

/// The keys of all owners: made at first use, wrapped by the master key, destroyed when an owner's content has to go.
///
/// Nothing is cached. An erasure holds from the moment it returns, in every process that shares the records.
public struct OwnerKeys: Sendable {
    private let masters: [MasterKey]
    private let records: any KeyRecords

    /// - Parameters:
    ///   - masters: the current master key first, then older ones that records may still be wrapped with.
    ///   - records: where the wrapped keys lie.
    public init(masters: [MasterKey], records: any KeyRecords) throws(BlobError) {
        guard !masters.isEmpty else { throw .badSetting(name: "the master keys", reason: "are none") }
        self.masters = masters
        self.records = records
    }

    /// The key of an owner.
    /// - Throws: ``BlobError/noKey(owner:)`` or ``BlobError/erased(owner:)``.
    public func key(of owner: String) async throws -> OwnerKey {
        guard let record = try await load(owner) else { throw BlobError.noKey(owner: owner) }
        return try open(record)
    }

    /// The key of an owner, made when there is none yet.
    /// - Throws: ``BlobError/erased(owner:)`` when it was destroyed; ``renew(owner:)`` makes another.
    public func keyOrNew(of owner: String) async throws -> OwnerKey {
        if let record = try await load(owner) { return try open(record) }
        let (record, key) = try make(owner, generation: 1)
        if try await records.insert(owner: owner, record.bytes) { return key }
        return try await self.key(of: owner)
    }

    /// Destroys the key. Everything sealed with it is unreadable from now on and no commitment can be made or opened any
    /// more. A second call gives the first receipt again.
    /// - Parameter time: what the receipt says, RFC 3339.
    public func destroy(owner: String, time: String) async throws -> ErasureReceipt {
        while true {
            guard let stored = try await records.load(owner: owner) else { throw BlobError.noKey(owner: owner) }
            let record = try KeyRecord.read(stored, owner: owner)
            if let receipt = record.receipt { return receipt }
            let gone = KeyRecord(
                owner: owner, generation: record.generation, keyID: record.keyID, fingerprint: record.fingerprint, wrapped: nil,
                destroyed: time)
            if try await records.replace(owner: owner, stored, with: gone.bytes), let receipt = gone.receipt { return receipt }
        }
    }

    /// The receipt of an owner whose key was destroyed; nil while it lives or when there never was one.
    public func receipt(owner: String) async throws -> ErasureReceipt? { try await load(owner)?.receipt }

    /// Makes a new key for an owner whose last one was destroyed. What that one sealed stays unreadable.
    public func renew(owner: String) async throws -> OwnerKey {
        guard let stored = try await records.load(owner: owner) else { return try await keyOrNew(of: owner) }
        let record = try KeyRecord.read(stored, owner: owner)
        guard record.destroyed != nil else { return try open(record) }
        let (next, key) = try make(owner, generation: record.generation + 1)
        if try await records.replace(owner: owner, stored, with: next.bytes) { return key }
        return try await self.key(of: owner)
    }

    /// Wraps an owner's key with the current master key, so that an older one can be thrown away.
    public func rewrap(owner: String) async throws {
        guard let stored = try await records.load(owner: owner) else { throw BlobError.noKey(owner: owner) }
        let record = try KeyRecord.read(stored, owner: owner)
        let key = try open(record)
        guard record.wrapped?.master != masters[0].id else { return }
        let rewrapped = try wrapped(key, generation: record.generation)
        _ = try await records.replace(owner: owner, stored, with: rewrapped.bytes)
    }

    private func load(_ owner: String) async throws -> KeyRecord? {
        guard let bytes = try await records.load(owner: owner) else { return nil }
        return try KeyRecord.read(bytes, owner: owner)
    }

    private func make(_ owner: String, generation: Int) throws(BlobError) -> (KeyRecord, OwnerKey) {
        guard (1...512).contains(owner.utf8.count) else { throw .badSetting(name: "the owner", reason: "has to have 1 to 512 bytes") }
        let key = OwnerKey(owner: owner, id: Random.bytes(16), dataKey: Random.bytes(32), saltKey: Random.bytes(32))
        return (try wrapped(key, generation: generation), key)
    }

    private func wrapped(_ key: OwnerKey, generation: Int) throws(BlobError) -> KeyRecord {
        let bare = KeyRecord(
            owner: key.owner, generation: generation, keyID: key.id, fingerprint: key.fingerprint, wrapped: nil, destroyed: nil)
        let sealed = try masters[0].wrap(key.dataKey + key.saltKey, for: bare.context)
        return KeyRecord(
            owner: key.owner, generation: generation, keyID: key.id, fingerprint: key.fingerprint, wrapped: (masters[0].id, sealed),
            destroyed: nil)
    }

    private func open(_ record: KeyRecord) throws(BlobError) -> OwnerKey {
        guard record.destroyed == nil else { throw .erased(owner: record.owner) }
        guard let wrapped = record.wrapped else { throw .badKeyRecord(owner: record.owner, reason: "it holds no key") }
        guard let master = masters.first(where: { $0.id == wrapped.master }) else {
            throw .badKeyRecord(owner: record.owner, reason: "it is wrapped with master key \(wrapped.master), which is not here")
        }
        guard let secret = try? master.unwrap(wrapped.bytes, for: record.context), secret.count == 64 else {
            throw .badKeyRecord(owner: record.owner, reason: "it was changed")
        }
        let key = OwnerKey(owner: record.owner, id: record.keyID, dataKey: Array(secret[..<32]), saltKey: Array(secret[32...]))
        guard key.fingerprint == record.fingerprint else { throw .badKeyRecord(owner: record.owner, reason: "it was changed") }
        return key
    }
}
