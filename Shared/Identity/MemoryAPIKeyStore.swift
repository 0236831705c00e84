public import Crypto
internal import Synchronization
internal import Threads

/// API keys in memory, for tests and for what a file store has read.
public final class MemoryAPIKeyStore: APIKeyStore {
    private let records: Lock<[Digest: APIKeyRecord]>

    /// Holds these keys.
    public init(_ records: [APIKeyRecord] = []) {
        self.records = Lock(Dictionary(records.map { ($0.hash, $0) }) { _, later in later })
    }

    /// The record of the key with that hash.
    public func record(for hash: Digest) -> APIKeyRecord? { records.withLock { $0[hash] } }

    /// Adds a key, or replaces what is kept of it.
    public func add(_ record: APIKeyRecord) { records.withLock { $0[record.hash] = record } }

    /// Ends a key at once.
    public func revoke(_ hash: Digest) { records.withLock { $0[hash] = nil } }

    /// The hashes of the keys whose record meets a condition, in their order.
    public func hashes(where fits: (APIKeyRecord) -> Bool) -> [Digest] {
        records.withLock { $0.values.filter(fits).map(\.hash) }.sorted { $0.hex < $1.hex }
    }

    /// How many keys there are.
    public var count: Int { records.withLock { $0.count } }
}
