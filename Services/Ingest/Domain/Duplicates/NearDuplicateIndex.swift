/// Finds near-duplicates among the items of a Datanet in sub-linear time. Items come in order, and the earliest of those
/// that resemble one another is the head of their cluster for ever: a later item never changes what was said of an
/// earlier one.
public struct NearDuplicateIndex: Sendable {
    /// What an item resembles.
    public struct Match: Sendable, Hashable {
        /// The earliest item that it resembles.
        public let item: String
        /// The head of that item's cluster.
        public let head: String
        /// The resemblance to `item` in thousandths.
        public let resemblance: Int
    }

    /// The least resemblance in thousandths.
    public let threshold: Int
    private var ids: [String] = []
    private var places: [String: Int32] = [:]
    private var heads: [Int32] = []
    private var shingles: [Shingles] = []
    private var isGone: [Bool] = []
    /// Band hash to the items with that band.
    private var buckets: [UInt64: [Int32]] = [:]
    /// A bucket holds at most so many items of one cluster, and so many in all: what a template makes alike by the
    /// thousand costs no more than a few comparisons.
    private static let mostOfCluster = 4
    private static let mostOfBucket = 64

    /// An empty index.
    public init(threshold: Int = 800) { self.threshold = threshold }

    /// How many items it holds.
    public var count: Int { ids.count }

    /// What an item would match, without keeping it.
    public func match(_ candidate: Shingles) -> Match? { match(candidate, MinHash.bands(of: candidate)) }

    /// Keeps an item and says what it matches among those before.
    /// - Parameter head: the head that was decided for it earlier, when the index is filled again; nil decides now.
    @discardableResult
    public mutating func add(_ id: String, _ candidate: Shingles, head decided: String? = nil) -> Match? {
        let bands = MinHash.bands(of: candidate)
        let match = decided == nil ? match(candidate, bands) : nil
        let place = Int32(ids.count)
        let head = (decided ?? match?.head).flatMap { places[$0] } ?? place
        ids.append(id)
        places[id] = place
        heads.append(head)
        shingles.append(candidate)
        isGone.append(false)
        for band in bands { insert(place, head, band) }
        return match
    }

    /// Takes an item out: nothing resembles it any more. Its name stays, as the head of its cluster.
    public mutating func remove(_ id: String) {
        guard let place = places[id] else { return }
        isGone[Int(place)] = true
        shingles[Int(place)] = Shingles([])
    }

    private func match(_ candidate: Shingles, _ bands: [UInt64]) -> Match? {
        var seen: Set<Int32> = []
        for band in bands {
            for place in buckets[band] ?? [] where !isGone[Int(place)] { seen.insert(place) }
        }
        for place in seen.sorted() {
            let resemblance = shingles[Int(place)].resemblance(candidate)
            if resemblance >= threshold {
                return Match(item: ids[Int(place)], head: ids[Int(heads[Int(place)])], resemblance: resemblance)
            }
        }
        return nil
    }

    private mutating func insert(_ place: Int32, _ head: Int32, _ band: UInt64) {
        let heads = heads
        guard var bucket = buckets[band] else {
            buckets[band] = [place]
            return
        }
        guard bucket.count < Self.mostOfBucket, bucket.lazy.filter({ heads[Int($0)] == head }).count < Self.mostOfCluster else { return }
        buckets[band] = nil
        bucket.append(place)
        buckets[band] = bucket
    }
}
