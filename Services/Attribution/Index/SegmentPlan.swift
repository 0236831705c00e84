/// Which items of a snapshot lie in which segment of its index.
///
/// It follows from the lists of the Datanet's snapshots alone, so that everybody who builds the index gets the same files, whatever was
/// there before: what a snapshot adds is a segment of its own, and segments are merged, from the last on, as long as one is at least half
/// as large as the one before. So there are never more than a logarithm of the corpus, and a word is sorted about as often.
public struct SegmentPlan: Sendable, Hashable {
    /// An item and how long it is said to be.
    public struct Item: Sendable, Hashable {
        /// Its id.
        public let id: String
        /// Its length in tokens, by the list.
        public let tokens: Int

        /// Pairs them.
        public init(id: String, tokens: Int) {
            self.id = id
            self.tokens = tokens
        }
    }

    /// The items of each segment, in order.
    public private(set) var groups: [[Item]] = []

    /// No snapshot yet.
    public init() {}

    /// The plan of the next snapshot.
    public func next(_ items: [Item]) -> SegmentPlan {
        let present = Set(items.map(\.id))
        var plan = SegmentPlan()
        plan.groups = groups.map { $0.filter { present.contains($0.id) } }.filter { !$0.isEmpty }
        let old = Set(plan.groups.joined().map(\.id))
        let fresh = items.filter { !old.contains($0.id) }
        if !fresh.isEmpty { plan.groups.append(fresh) }
        var sizes = plan.groups.map { $0.reduce(0) { $0 + $1.tokens + 1 } }
        while sizes.count > 1, let last = sizes.last, last * 2 >= sizes[sizes.count - 2],
            (last + sizes[sizes.count - 2]) * 4 <= SegmentWriter.limit
        {
            sizes[sizes.count - 2] += sizes.removeLast()
            let merged = plan.groups.removeLast()
            plan.groups[plan.groups.count - 1] += merged
        }
        return plan
    }
}
