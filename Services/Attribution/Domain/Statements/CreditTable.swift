public import Events

/// An item of a searched snapshot, with what the ledger and its index say of it.
public struct KnownItem: Sendable {
    /// As it was admitted.
    public let admitted: AdmittedItem
    /// The snapshot's Datanet.
    public let datanet: String
    /// Where its contribution was admitted.
    public let position: UInt64
    /// Words that are new in it; nil where nobody measured.
    public let unique: Int?
    /// All its words, as they were counted with those; nil where nobody measured.
    public let words: Int?
    /// The earlier item that it nearly repeats.
    public let head: String?

    /// An item from its parts.
    public init(admitted: AdmittedItem, datanet: String, position: UInt64, unique: Int?, words: Int? = nil, head: String?) {
        self.admitted = admitted
        self.datanet = datanet
        self.position = position
        self.unique = unique
        self.words = words
        self.head = head
    }

    /// A snapshot's items with what its index measured, where it measured all of them.
    public static func of(
        _ list: [AdmittedItem], datanet: String, measures: [IndexedItem], position: (AdmittedItem) -> UInt64
    ) -> [KnownItem] {
        let hasMeasures = measures.count == list.count
        return list.enumerated().map { number, item in
            KnownItem(
                admitted: item, datanet: datanet, position: position(item), unique: hasMeasures ? measures[number].unique : nil,
                words: hasMeasures ? measures[number].words : nil, head: hasMeasures ? measures[number].head : nil)
        }
    }
}

/// A searched snapshot with its items.
public struct SearchedSnapshot: Sendable {
    /// Which snapshot, and by which index.
    public let source: AttributionStatement.Source
    /// Its items.
    public let items: [KnownItem]

    /// Pairs them.
    public init(_ source: AttributionStatement.Source, items: [KnownItem]) {
        self.source = source
        self.items = items
    }
}

/// Who may be credited with an answer: the items of the searched snapshots but for what was taken back before it.
///
/// The fallback pays by the snapshots that the model learned from; those for passages alone count where it has no others.
public struct CreditTable: Sendable {
    /// What the computation takes.
    public let items: SnapshotItems
    private let datanets: [String: String]
    private let tokens: [String: [String: Int]]
    private let sources: [AttributionStatement.Source]
    private let rules: Int

    /// - Parameters:
    ///   - position: of the answer.
    ///   - rules: of the model's policy. From 3 on names that are one owner's are joined, and near-duplicates are followed to the end; from
    ///     4 on somebody stands behind names that are not verified.
    ///   - names: which names are one owner's.
    public init(
        _ searched: [SearchedSnapshot], withdrawals: Withdrawals, before position: UInt64, rules: Int, names: OwnerNames
    ) {
        let hasOwn = searched.contains { !$0.source.isRetrieval }
        let clusters =
            rules < 3 ? nil : ItemClusters(searched) { !withdrawals.isGone($0.admitted, admitted: $0.position, before: position) }
        var facts: [String: ItemFacts] = [:]
        var datanets: [String: String] = [:]
        var tokens: [String: [String: Int]] = [:]
        var brought: [(owner: String, contribution: String, position: UInt64)] = []
        for snapshot in searched {
            for item in snapshot.items where facts[item.admitted.item] == nil {
                let admitted = item.admitted
                guard !withdrawals.isGone(admitted, admitted: item.position, before: position) else { continue }
                let counts = snapshot.source.isRetrieval && hasOwn ? 0 : admitted.tokens
                let owner = names.earner(admitted.owner, before: position, rules: rules)
                facts[admitted.item] = ItemFacts(
                    owner: owner, position: Int(clamping: item.position),
                    head: clusters.map { $0.head(of: admitted.item) } ?? (admitted.cluster == admitted.item ? item.head : admitted.cluster),
                    tokens: counts, uniqueTokens: clusters?.unique(of: item) ?? item.unique ?? admitted.tokens,
                    novelty: Self.novelty(item, clusters?.unique(of: item)))
                datanets[admitted.item] = item.datanet
                tokens[owner, default: [:]][item.datanet, default: 0] += counts
                brought.append((owner, admitted.contribution, item.position))
            }
        }
        let order = rules < 4 ? [] : brought.sorted { ($0.position, $0.contribution) < ($1.position, $1.contribution) }
        items = SnapshotItems(
            facts, parties: names.parties(of: order.map { ($0.owner, $0.contribution) }, before: position, rules: rules))
        self.datanets = datanets
        self.tokens = tokens
        self.rules = rules
        sources = searched.map(\.source)
    }

    /// What of an item is new, in parts of a whole; all of it where nobody measured.
    private static func novelty(_ item: KnownItem, _ unique: Int?) -> Int {
        guard let unique, let words = item.words, words > 0 else { return ItemFacts.wholeNovelty }
        return min(unique, words) * ItemFacts.wholeNovelty / words
    }

    /// The statement about an answer, once it is known what the methods found.
    /// - Parameters:
    ///   - missing: codes of what was not there.
    ///   - computed: nil where there is nobody to credit.
    ///   - names: who is verified, and since when.
    public func statement(
        _ attribution: String, of inference: InferenceCompleted, at position: UInt64, model: ModelPublished?, missing: [String],
        computed: AttributionEvidence?, names: OwnerNames
    ) throws(AttributionError) -> AttributionStatement {
        var admitted: [String: Int] = [:]
        var unverified: [String] = []
        var parties = Parties.alone
        var datanets: [String: [String: Int]] = [:]
        if let computed, let policy = model?.attribution {
            let shares = try Attribution.recompute(evidence: computed, policy: AttributionDomain.AttributionPolicy(policy)).shares
            let isUnverified = { (owner: String) in !names.isVerified(owner, before: position, rules: rules) }
            // Whether the cap may cut: one party is above it, as all who are not verified may be together.
            var together: [String: Int] = [:]
            for share in shares {
                let party = rules < 4 ? isUnverified(share.owner) ? Parties.crowd : share.owner : items.parties.party(of: share.owner)
                together[party, default: 0] += share.share
            }
            if together.values.contains(where: { $0 > policy.cap }) {
                admitted = items.admittedTokens.filter { $0.value > 0 }
                unverified = Set(shares.map(\.owner)).union(admitted.keys).filter(isUnverified).sorted()
                parties = items.parties.only(unverified)
            }
            datanets = self.datanets(of: Set(shares.map(\.owner)).union(admitted.keys), computed)
        }
        return AttributionStatement(
            attribution: attribution, inference: inference.inference, model: inference.model, version: inference.version,
            policy: model?.attribution, sources: sources, missing: (model == nil ? missing + ["unknown-model"] : missing).sorted(),
            computed: computed, datanets: datanets, admitted: admitted, unverified: unverified, parties: parties, excluded: [])
    }

    /// The number of the rules that a model is published with; of a model that never was, the first.
    public static func rules(of policy: Events.AttributionPolicy?) -> Int {
        policy.flatMap { $0.rules.split(separator: "/").last }.flatMap { Int($0) } ?? 1
    }

    /// What of each owner's share is due to which Datanet: by the words that its items there gave, else by its admitted tokens.
    private func datanets(of owners: Set<String>, _ evidence: AttributionEvidence) -> [String: [String: Int]] {
        var given: [String: [String: Int]] = [:]
        for span in evidence.spans ?? [] where span.paidTokens > 0 {
            for earner in span.earners {
                if let datanet = datanets[earner.item] { given[earner.owner, default: [:]][datanet, default: 0] += span.paidTokens }
            }
        }
        for passage in evidence.passages ?? [] where passage.usedTokens > 0 {
            let item = items.earner(for: passage.item)
            if let datanet = datanets[item] { given[passage.owner, default: [:]][datanet, default: 0] += passage.usedTokens }
        }
        var result: [String: [String: Int]] = [:]
        for owner in owners {
            let tokens = tokens[owner] ?? [:]
            let admitted = tokens.filter { $0.value > 0 }
            // Somebody with no tokens anywhere is due to where its first item is.
            result[owner] = given[owner] ?? (admitted.isEmpty ? tokens.min { $0.key < $1.key }.map { [$0.key: 1] } ?? [:] : admitted)
        }
        return result
    }
}
