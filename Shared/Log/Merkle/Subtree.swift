/// A perfect subtree: the `index`-th of height `level`, over leaves `index·2^level ..< (index+1)·2^level`.
public struct Subtree: Sendable, Hashable {
    /// Its height; a leaf has 0.
    public let level: Int
    /// Its index among those of its height.
    public let index: UInt64

    /// Names a subtree.
    public init(level: Int, index: UInt64) {
        self.level = level
        self.index = index
    }

    /// The perfect subtrees that leaves `start ..< end` fall into, left to right. `start` must be a multiple of the
    /// largest power of two that fits, as it is for every range an RFC 6962 proof speaks of.
    static func covering(_ start: UInt64, _ end: UInt64) -> [Subtree] {
        var parts: [Subtree] = []
        var at = start
        while at < end {
            let level = 63 - (end - at).leadingZeroBitCount
            parts.append(Subtree(level: level, index: at >> UInt64(level)))
            at += 1 << UInt64(level)
        }
        return parts
    }
}

/// What a proof needs, by the recursion of RFC 6962 §2.1: for each hash of the proof the subtrees to fold into it.
public enum ProofPlan {
    /// The parts of each hash of an inclusion proof, leaf to root.
    public static func inclusion(index: UInt64, size: UInt64) -> [[Subtree]] {
        var plan: [[Subtree]] = []
        var start: UInt64 = 0
        var end = size
        while end - start > 1 {
            let split = start + largestPowerOfTwo(below: end - start)
            if index < split {
                plan.append(Subtree.covering(split, end))
                end = split
            } else {
                plan.append(Subtree.covering(start, split))
                start = split
            }
        }
        return plan.reversed()
    }

    /// The parts of each hash of a consistency proof, in RFC 6962's order.
    public static func consistency(oldSize: UInt64, newSize: UInt64) -> [[Subtree]] {
        guard oldSize > 0, oldSize < newSize else { return [] }
        var plan: [[Subtree]] = []
        var start: UInt64 = 0
        var end = newSize
        var wholeOldTree = true
        while end != oldSize {
            let split = start + largestPowerOfTwo(below: end - start)
            if oldSize <= split {
                plan.append(Subtree.covering(split, end))
                end = split
            } else {
                plan.append(Subtree.covering(start, split))
                start = split
                wholeOldTree = false
            }
        }
        if !wholeOldTree { plan.append(Subtree.covering(start, end)) }
        return plan.reversed()
    }

    private static func largestPowerOfTwo(below count: UInt64) -> UInt64 {
        1 << UInt64(63 - (count - 1).leadingZeroBitCount)
    }
}
