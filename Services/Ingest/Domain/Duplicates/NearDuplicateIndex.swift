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
    private var sketches: Sketches
    private var isGone: [Bool] = []
    private var bands = BandTable()
    /// A band keeps at most so many items of one cluster.
    private static let mostOfCluster = 4

    /// An empty index.
    /// - Parameter store: where it keeps the sketches, for as long as it or a copy of it is there; nil keeps them in memory.
    public init(threshold: Int = 800, store: (any SketchStore)? = nil) {
        self.threshold = threshold
        sketches = Sketches(store)
    }

    /// See ``SketchStore/trouble``.
    public var trouble: (any Error)? { sketches.trouble }

    /// How many items it holds.
    public var count: Int { ids.count }

    /// About how much memory it takes.
    public var bytes: Int { bands.bytes + sketches.bytes + ids.count * 160 }

    /// What an item would match, without keeping it.
    public func match(_ candidate: Shingles) -> Match? { match(candidate, candidate.bands()) }

    /// Keeps an item and says what it matches among those before.
    /// - Parameter head: the head that was decided for it earlier, when the index is filled again; nil decides now.
    @discardableResult
    public mutating func add(_ id: String, _ candidate: Shingles, head decided: String? = nil) -> Match? {
        add(id, candidate, bands: candidate.bands(), head: decided)
    }

    /// The same for an item whose bands are known: ``Shingles/bands()``.
    @discardableResult
    public mutating func add(_ id: String, _ candidate: Shingles, bands hashes: [UInt64], head decided: String? = nil) -> Match? {
        let match = decided == nil ? match(candidate, hashes) : nil
        let head = decided ?? match?.head
        let place = keep(id, candidate)
        if let head, head != id { heads[Int(place)] = places[head] ?? keep(head, Shingles([]), isGone: true) }
        let ofCluster = heads[Int(place)]
        let heads = heads
        for hash in hashes { bands.insert(place, hash, mostOfKind: Self.mostOfCluster) { heads[Int($0)] == ofCluster } }
        return match
    }

    /// Takes an item out: nothing resembles it any more. Its name stays, as the head of its cluster.
    public mutating func remove(_ id: String) {
        guard let place = places[id] else { return }
        isGone[Int(place)] = true
        sketches.remove(Int(place))
    }

    /// Makes a place for an item, which is the head of its own cluster at first. One that is gone stands for its name alone.
    private mutating func keep(_ id: String, _ candidate: Shingles, isGone: Bool = false) -> Int32 {
        let place = Int32(ids.count)
        ids.append(id)
        places[id] = place
        heads.append(place)
        sketches.append(candidate)
        self.isGone.append(isGone)
        return place
    }

    private func match(_ candidate: Shingles, _ hashes: [UInt64]) -> Match? {
        var found: [Int32] = []
        for hash in hashes { bands.forEach(of: hash) { if !isGone[Int($0)] { found.append($0) } } }
        found.sort()
        var last: Int32 = -1
        for place in found where place != last {
            last = place
            let resemblance = sketches.resemblance(Int(place), candidate)
            if resemblance >= threshold {
                return Match(item: ids[Int(place)], head: ids[Int(heads[Int(place)])], resemblance: resemblance)
            }
        }
        return nil
    }
}
