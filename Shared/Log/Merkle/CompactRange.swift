public import Crypto

/// The right edge of a growing tree: one hash for each perfect subtree of the first `size` leaves, largest first.
///
/// Holds at most 64 hashes whatever the log's length; an append costs two node hashes at most on average one.
public struct CompactRange: Sendable, Equatable {
    /// How many leaves it covers.
    public private(set) var size: UInt64 = 0
    /// Roots of the perfect subtrees, from the largest (leftmost) to the smallest.
    public private(set) var peaks: [Digest] = []

    /// Over no leaves.
    public init() {}

    /// Over `size` leaves whose peaks are known; nil unless there is one peak for each set bit of `size`.
    public init?(size: UInt64, peaks: [Digest]) {
        guard peaks.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.peaks = peaks
    }

    /// Adds one leaf hash.
    public mutating func append(_ leaf: Digest) {
        var hash = leaf
        var merges = (~size).trailingZeroBitCount
        while merges > 0, let left = peaks.popLast() {
            hash = Merkle.node(left, hash)
            merges -= 1
        }
        peaks.append(hash)
        size += 1
    }

    /// The root of the tree over all leaves so far.
    public var root: Digest {
        guard var hash = peaks.last else { return Merkle.emptyRoot }
        for left in peaks.dropLast().reversed() { hash = Merkle.node(left, hash) }
        return hash
    }
}
