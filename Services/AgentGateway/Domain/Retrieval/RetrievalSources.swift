internal import Decisions
public import Events
internal import JSON

/// What passages may be taken from: the latest snapshots of the Datanets that models look things up in, without what was taken back.
public struct RetrievalSources: Sendable {
    /// A Datanet's latest snapshot.
    public struct Source: Sendable, Hashable {
        /// The snapshot.
        public let published: SnapshotPublished
        /// Where it stands on the log.
        public let position: UInt64
    }

    /// Raised by whatever changes what may be taken.
    public private(set) var revision = 0
    private var latest: [String: Source] = [:]
    /// The Datanets of each version of a model; none for a retired one.
    private var datanets: [String: [[String]]] = [:]
    private var contributions: Set<String> = []
    private var items: [String: Set<String>] = [:]
    private var erased: [String: UInt64] = [:]

    static let types: Set<String> = [SnapshotPublished.type, ContributionWithdrawn.type, ContentErased.type]

    /// Of the Datanets that a model which may be asked looks things up in, by their ids.
    public var sources: [Source] {
        Set(datanets.values.joined().joined()).sorted().compactMap { latest[$0] }
    }

    /// Whether an item of a snapshot has been taken back. What an owner brought after an erasure stands in a snapshot after it.
    public func isGone(_ item: AdmittedItem, of source: Source) -> Bool {
        contributions.contains(item.contribution) || items[item.contribution]?.contains(item.item) == true
            || erased[item.owner].map { $0 > source.position } == true
    }

    mutating func publish(_ model: ModelPublished) {
        datanets[model.model, default: []].append(model.retrieval)
        revision += 1
    }

    mutating func retire(_ retired: ModelRetired) {
        guard let versions = datanets[retired.model] else { return }
        datanets[retired.model] = versions.enumerated().map { index, names in
            retired.version == nil || retired.version == index + 1 ? [] : names
        }
        revision += 1
    }

    mutating func apply(_ fact: Fact) throws {
        let fields = try fact.data.object()
        let position = fact.position ?? 0
        switch fact.type {
        case SnapshotPublished.type:
            let published = try SnapshotPublished(fields)
            latest[published.datanet] = Source(published: published, position: position)
        case ContributionWithdrawn.type:
            let withdrawn = try ContributionWithdrawn(fields)
            take(withdrawn.contribution, withdrawn.items)
        default:
            let content = try ContentErased(fields)
            if let contribution = content.contribution { take(contribution, content.items) } else { erased[content.owner] = position }
        }
        revision += 1
    }

    private mutating func take(_ contribution: String, _ names: [String]) {
        if names.isEmpty { contributions.insert(contribution) } else { items[contribution, default: []].formUnion(names) }
    }
}
