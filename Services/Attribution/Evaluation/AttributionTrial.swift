import AttributionDomain
import CorpusIndex
import Crypto

/// A corpus with an index, and answers attributed over it by spans.
struct AttributionTrial {
    /// Which defences stand.
    struct Defences {
        var clusters = true
        var verifiedOwners = true
        var coherence = true
        var minimumSpanTokens = 8
        var echo = true
        /// Copies in part earn nothing for what they copied.
        var copies = true

        static let all = Defences()
    }

    let index: CorpusIndex
    let items: SnapshotItems
    let policy: AttributionPolicy
    let defences: Defences

    /// Screens the items in their order, as a Datanet does in the ledger's, and indexes those that are admitted.
    ///
    /// - Parameters:
    ///   - owners: the verified owner behind a contributor's name, where it is another.
    ///   - parties: who stands behind the names.
    ///   - refuses: whether screening refuses a text as making no sense.
    init(
        _ all: [EvaluationItem], owners: [String: String] = [:], parties: Parties = .alone, defences: Defences = .all,
        refuses: (WordSequence) -> Bool, directory: String
    ) throws {
        var novelty = Novelty()
        var facts: [String: ItemFacts] = [:]
        var admitted: [CorpusItem] = []
        for (position, item) in all.enumerated() {
            if defences.coherence && refuses(item.text) { continue }
            let finding = novelty.add(id: item.id, item.text)
            facts[item.id] = ItemFacts(
                owner: defences.verifiedOwners ? owners[item.contributor] ?? item.contributor : item.contributor, position: position,
                head: defences.clusters ? finding.head : nil, tokens: finding.tokens,
                uniqueTokens: defences.clusters ? finding.uniqueTokens : finding.tokens)
            admitted.append(CorpusItem(id: item.id, text: item.text.bytes))
        }
        try CorpusIndexBuilder(directory: directory).build(root: SHA256.hash(utf8: "evaluation"), items: admitted)
        index = try CorpusIndex(directory: directory, verification: .headers)
        items = SnapshotItems(facts, parties: parties)
        var policy = AttributionPolicy()
        policy.weights = [.spans: Apportionment.whole]
        policy.minimumSpanTokens = defences.minimumSpanTokens
        policy.threshold = 0
        if !defences.copies { policy.rules = 3 }
        self.policy = policy
        self.defences = defences
    }

    /// The shares of the names in `contributors`, summed over answers: 1 for all of one answer. Answers that nobody is found for count 0.
    func earnings(of contributors: Set<String>, answers: [[UInt8]], prompts: [[UInt8]] = []) throws -> Double {
        var sum = 0.0
        for (number, answer) in answers.enumerated() {
            let prompt = defences.echo && number < prompts.count ? prompts[number] : []
            let result = try Attribution.compute(
                answer: try WordSequence(answer), prompt: try WordSequence(prompt), index: index, items: items, policy: policy)
            guard !result.isFallback else { continue }
            for share in result.shares where contributors.contains(share.owner) { sum += Double(share.share) / 1e9 }
        }
        return sum
    }
}
