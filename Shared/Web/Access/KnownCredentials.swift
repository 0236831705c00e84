internal import Synchronization
internal import Threads

/// Credentials that were good lately. They pass the limit on failures of their address, so that one who forges cannot shut out the others
/// behind the same gateway. They are verified all the same.
final class KnownCredentials: Sendable {
    private let hashes = Lock<Set<Int>>([])
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// Notes a good one. Swift's hash is seeded anew in each process, so nobody can make one that collides.
    func add(_ credential: Credential) {
        let hash = credential.hashValue
        hashes.withLock { hashes in
            // When full all are forgotten, which costs nothing but this favour for a moment.
            if hashes.count >= capacity, !hashes.contains(hash) { hashes.removeAll(keepingCapacity: true) }
            hashes.insert(hash)
        }
    }

    func contains(_ credential: Credential) -> Bool {
        let hash = credential.hashValue
        return hashes.withLock { $0.contains(hash) }
    }
}
