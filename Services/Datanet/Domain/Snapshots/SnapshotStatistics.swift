public import Events
public import JSON

/// What a snapshot is made of, in figures.
public struct SnapshotStatistics: Sendable, Hashable {
    /// How many items.
    public var items = 0
    /// Their length together, in tokens as screening counts them.
    public var tokens = 0
    /// How many owners.
    public var owners = 0
    /// Items by language.
    public var languages: [String: Int] = [:]
    /// Items by licence.
    public var licences: [String: Int] = [:]
    /// How many clusters of near-duplicates.
    public var clusters = 0

    /// Counts.
    public init(_ list: some Sequence<AdmittedItem>) {
        var owners: Set<String> = []
        var clusters: Set<String> = []
        for item in list {
            items += 1
            // Two lengths below 2^53 can't pass 2^63 in any number of items that fit into memory.
            tokens += item.tokens
            owners.insert(item.owner)
            clusters.insert(item.cluster)
            languages[item.language, default: 0] += 1
            licences[item.licence, default: 0] += 1
        }
        self.owners = owners.count
        self.clusters = clusters.count
    }

    /// The figures, names in the order of their bytes.
    public var json: JSONValue {
        func table(_ counts: [String: Int]) -> JSONValue {
            .object(JSONObject(counts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { ($0.key, .count($0.value)) }))
        }
        return [
            "items": .count(items), "tokens": .count(tokens), "owners": .count(owners), "clusters": .count(clusters),
            "languages": table(languages), "licences": table(licences),
        ]
    }
}
