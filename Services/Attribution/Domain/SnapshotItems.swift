/// What attribution knows of an item of a snapshot.
public struct ItemFacts: Sendable, Hashable {
    /// The verified owner that is paid for it: many principals may stand behind one.
    public let owner: String
    /// The ledger position of its admission: the earlier of two equal items earns.
    public let position: Int
    /// The earliest item of its cluster of near-duplicates; nil where it has none but itself.
    public let head: String?
    /// Its length in words.
    public let tokens: Int
    /// Its words that no earlier item had in the same run of eight.
    public let uniqueTokens: Int
    /// What of it is new, in parts of `wholeNovelty`: what influence counts of it.
    public let novelty: Int
    /// The novelty of an item in which all is new.
    public static let wholeNovelty = 256

    /// Takes an item's facts.
    public init(owner: String, position: Int, head: String? = nil, tokens: Int, uniqueTokens: Int? = nil, novelty: Int = wholeNovelty) {
        self.owner = owner
        self.position = position
        self.head = head
        self.tokens = tokens
        self.uniqueTokens = uniqueTokens ?? tokens
        self.novelty = min(max(0, novelty), Self.wholeNovelty)
    }
}

/// The items of a snapshot that may be paid: withdrawn and erased ones are not among them.
public struct SnapshotItems: Sendable {
    /// The facts by item id.
    public let facts: [String: ItemFacts]
    /// Unique tokens of each owner: the cap of what its spans can earn.
    public let uniqueTokens: [String: Int]
    /// Admitted tokens of each owner: what the fallback pays by. Members of a cluster other than its head do not count.
    public let admittedTokens: [String: Int]
    /// Who stands behind their owners.
    public let parties: Parties

    /// Adds up the facts.
    public init(_ facts: [String: ItemFacts], parties: Parties = .alone) {
        self.facts = facts
        self.parties = parties
        var unique: [String: Int] = [:]
        var admitted: [String: Int] = [:]
        for (id, item) in facts {
            let isHead = item.head == nil || item.head == id || facts[item.head ?? ""] == nil
            unique[item.owner, default: 0] += isHead ? item.uniqueTokens : 0
            admitted[item.owner, default: 0] += isHead ? item.tokens : 0
        }
        uniqueTokens = unique
        admittedTokens = admitted
    }

    /// The facts of an item.
    public subscript(id: String) -> ItemFacts? { facts[id] }

    /// The item that earns for `id`: its cluster's head, or the item itself where the head has gone.
    public func earner(for id: String) -> String {
        guard let head = facts[id]?.head, facts[head] != nil else { return id }
        return head
    }
}
