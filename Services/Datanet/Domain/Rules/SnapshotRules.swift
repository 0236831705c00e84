public import Crypto
public import Events

/// Publishing versions.
public enum SnapshotRules {
    /// Most items of one snapshot: their list is one piece of evidence, of at most 64 MiB.
    public static let maximumItems = 150_000

    /// What a snapshot was made from and what came of it, before it is published. List and manifest lie in the evidence store.
    public struct Prepared: Sendable {
        /// The Datanet's revision that the items are of.
        public var revision: Int
        /// The root over the items.
        public var root: Digest
        /// SHA-256 of the list.
        public var list: Digest
        /// SHA-256 of the manifest.
        public var manifest: Digest
        /// The date in the manifest.
        public var published: Timestamp
        /// Figures.
        public var statistics: SnapshotStatistics
        /// Whose work it is, by ``AccessRules/shares(_:of:)``; nil in what was published before that was said.
        public var shares: EvidenceList<AttributionShare>?

        /// From its parts.
        public init(
            revision: Int, root: Digest, list: Digest, manifest: Digest, published: Timestamp, statistics: SnapshotStatistics,
            shares: EvidenceList<AttributionShare>? = nil
        ) {
            self.revision = revision
            self.root = root
            self.list = list
            self.manifest = manifest
            self.published = published
            self.statistics = statistics
            self.shares = shares
        }
    }

    /// Who may publish, and that there is something to publish.
    public static func check(_ state: DatanetState, _ id: String, items: Int, by actor: String) throws(DatanetRefusal) {
        let datanet = try state.datanet(id)
        guard datanet.has(actor, [.owner, .curator]) else { throw .notAllowed("owners and curators publish snapshots") }
        guard items > 0 else {
            throw DatanetRefusal(.unprocessable, "nothing-to-publish", "\(id) has no items: a snapshot has at least one")
        }
        guard items <= maximumItems else {
            throw DatanetRefusal(
                .unprocessable, "too-many-items",
                "a snapshot has at most \(maximumItems) items, and \(id) has \(items): take contributions back, or collect further ones in another Datanet"
            )
        }
    }

    /// Publishes what was prepared, if the Datanet still has those items.
    public static func publish(_ state: DatanetState, _ id: String, _ prepared: Prepared, _ moment: Moment) throws -> [Decided] {
        try check(state, id, items: prepared.statistics.items, by: moment.actor)
        let datanet = try state.datanet(id)
        guard datanet.revision == prepared.revision else { throw DatanetRefusal.stale }
        let snapshot = moment.newID("sn", 0)
        return [
            try Decided(
                SnapshotPublished(
                    datanet: id, snapshot: snapshot, number: datanet.snapshots.count + 1, root: prepared.root, manifest: prepared.manifest,
                    items: prepared.statistics.items, tokens: prepared.statistics.tokens, owners: prepared.statistics.owners,
                    list: prepared.list, published: prepared.published, shares: prepared.shares), "snapshot", snapshot)
        ]
    }
}
