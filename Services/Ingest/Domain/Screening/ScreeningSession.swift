public import Crypto

/// Screens the items of one Datanet in their order: adds to what each is by itself what it is among the others.
public struct ScreeningSession: Sendable {
    private var exact: ExactDuplicateIndex
    private var near: NearDuplicateIndex

    /// Goes on where the Datanet stands.
    public init(
        exact: ExactDuplicateIndex = ExactDuplicateIndex(),
        near: NearDuplicateIndex = NearDuplicateIndex(threshold: ScreeningRules.nearDuplicate)
    ) {
        self.exact = exact
        self.near = near
    }

    /// An empty one that keeps the sketches of items there.
    public init(store: any SketchStore) {
        self.init(near: NearDuplicateIndex(threshold: ScreeningRules.nearDuplicate, store: store))
    }

    /// Why a sketch could not be kept or read. Then no verdict of this session counts.
    public var trouble: (any Error)? { near.trouble }

    /// The verdict on an item.
    public struct Verdict: Sendable, Hashable {
        /// Whether it passed.
        public let isAccepted: Bool
        /// What spoke.
        public let reasons: [ReasonCode]
        /// The head of its cluster; itself when it resembles nothing.
        public let cluster: String
    }

    /// How many items it knows.
    public var count: Int { near.count }

    /// About how much memory it takes.
    public var bytes: Int { near.bytes + exact.count * 100 }

    /// Judges an item and, when it passes, keeps it for those that follow. What is refused has no copies.
    public mutating func judge(_ id: String, _ inspection: ItemInspection) -> Verdict {
        guard !inspection.reasons.contains(where: \.isRefusal) else {
            return Verdict(isAccepted: false, reasons: inspection.reasons, cluster: id)
        }
        if let earlier = exact.add(id, inspection.fingerprint) {
            return Verdict(isAccepted: false, reasons: inspection.reasons + [.exactDuplicate], cluster: earlier)
        }
        guard let match = near.add(id, inspection.shingles, bands: inspection.bands) else {
            return Verdict(isAccepted: true, reasons: inspection.reasons, cluster: id)
        }
        return Verdict(isAccepted: true, reasons: inspection.reasons + [.nearDuplicate], cluster: match.head)
    }

    /// The verdict on a row that names an item which it cannot correct.
    public static func wrongVersion(_ id: String, _ inspection: ItemInspection) -> Verdict {
        Verdict(isAccepted: false, reasons: inspection.reasons + [.wrongVersion], cluster: id)
    }

    /// Judges an image or a recording by the hash of its bytes; what is the same as an earlier one is refused.
    public mutating func judgeMedia(_ id: String, _ hash: Digest) -> (reasons: [ReasonCode], cluster: String) {
        if let earlier = exact.add(id, hash) { return ([.exactDuplicate], earlier) }
        near.add(id, Shingles([]))
        return ([], id)
    }

    /// Keeps an item that was accepted before, when a session is filled again.
    public mutating func restore(_ id: String, fingerprint: Digest, shingles: Shingles, bands: [UInt64], cluster: String) {
        _ = exact.add(id, fingerprint)
        near.add(id, shingles, bands: bands, head: cluster)
    }

    /// Forgets an item: the same text may come again. Its cluster keeps its name.
    public mutating func remove(_ id: String) {
        exact.remove(id)
        near.remove(id)
    }
}
