/// The set of a text's overlapping runs of words, as hashes: what near-duplicates share.
public struct Shingles: Sendable, Hashable {
    /// Words in a run.
    public static let width = 5
    /// The most hashes that are kept: the smallest ones, a fair sample of a long text's runs (bottom-k, Broder 1997).
    public static let most = 2048

    /// Ascending, each once.
    public let hashes: [UInt32]
    /// Whether these are only the smallest of more.
    public var isSample: Bool { hashes.count == Self.most }

    /// Runs of the words of a text; a shorter text is one run.
    public init(_ words: [UInt64]) {
        guard !words.isEmpty else {
            hashes = []
            return
        }
        var all: [UInt32] = []
        let width = min(Self.width, words.count)
        all.reserveCapacity(words.count - width + 1)
        for start in 0...(words.count - width) {
            var hash: UInt64 = UInt64(width)
            for place in start..<start + width { hash = mix64(hash &* 0x9e37_79b9_7f4a_7c15 ^ words[place]) }
            all.append(UInt32(truncatingIfNeeded: hash >> 32))
        }
        all.sort()
        var unique: [UInt32] = []
        unique.reserveCapacity(min(all.count, Self.most))
        for hash in all where unique.last != hash {
            unique.append(hash)
            if unique.count == Self.most { break }
        }
        hashes = unique
    }

    /// Hashes as they were kept.
    /// - Returns: nil unless they ascend strictly and are no more than ``most``.
    public init?(kept hashes: [UInt32]) {
        guard hashes.count <= Self.most, zip(hashes, hashes.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
        self.hashes = hashes
    }

    /// The resemblance (Jaccard) of two sets in thousandths; for samples its bottom-k estimate.
    public func resemblance(_ other: Shingles) -> Int {
        hashes.withUnsafeBufferPointer { mine in other.hashes.withUnsafeBufferPointer { Self.resemblance(mine, $0) } }
    }

    /// The same for hashes wherever they are.
    static func resemblance(_ mine: UnsafeBufferPointer<UInt32>, _ theirs: UnsafeBufferPointer<UInt32>) -> Int {
        let bounded = mine.count == most || theirs.count == most
        var (shared, union, left, right) = (0, 0, 0, 0)
        while left < mine.count || right < theirs.count {
            if bounded && union == most { break }
            union += 1
            if right == theirs.count || (left < mine.count && mine[left] < theirs[right]) {
                left += 1
            } else if left == mine.count || theirs[right] < mine[left] {
                right += 1
            } else {
                shared += 1
                left += 1
                right += 1
            }
        }
        return union == 0 ? 0 : shared * 1000 / union
    }
}
