internal import Crypto
internal import EventLog
internal import Synchronization
internal import Threads

/// The size and root of the tree after the newest commit.
final class LatestTree: Sendable {
    private let state = Lock((size: UInt64(0), root: Merkle.emptyRoot))

    func set(size: UInt64, root: Digest) { state.withLock { $0 = (size, root) } }

    var current: (size: UInt64, root: Digest) { state.withLock { $0 } }
}
