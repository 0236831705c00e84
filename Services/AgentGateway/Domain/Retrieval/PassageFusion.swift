public import Events

/// How passages that were found by their words and by their meaning come into one order. It is a published rule with a name of its own:
/// the log says by which rule an answer's passages were ranked and which ranks they had, so that anybody can see that the order follows.
///
/// Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): each way of finding gives 1/(60 + rank). Ranks count within a Datanet,
/// since neither those of words nor those of meaning can be compared across them.
public enum PassageFusion {
    /// Words and meaning; what was ranked by words alone, in turns of the Datanets, names no rule.
    public static let rule = "retrieval/2"
    /// What is added to each rank, so that first places do not outweigh everything.
    static let damping = 60

    /// A passage and where it stood.
    public struct Found: Sendable, Hashable {
        /// Its Datanet.
        public let datanet: String
        /// Its item.
        public let item: String
        /// Its rank by words, from 1.
        public let textRank: Int?
        /// Its rank by meaning, from 1.
        public let similarityRank: Int?
    }

    /// What a Datanet found, best first.
    public struct Lists: Sendable {
        /// Its Datanet.
        public let datanet: String
        /// Items by words.
        public let text: [String]
        /// Items by meaning.
        public let similar: [String]

        /// Puts them together.
        public init(datanet: String, text: [String], similar: [String]) {
            self.datanet = datanet
            self.text = text
            self.similar = similar
        }
    }

    /// In units of 10^-9: what a passage is worth by its ranks.
    public static func score(textRank: Int?, similarityRank: Int?) -> Int {
        [textRank, similarityRank].compactMap { $0 }.reduce(0) { $0 + 1_000_000_000 / (damping + $1) }
    }

    /// All that was found, best first: by score, then by the order in which the model names its Datanets, then by the item's id. An item
    /// that several Datanets have counts where it is best.
    public static func fuse(_ lists: [Lists]) -> [Found] {
        var all: [(place: Int, found: Found)] = []
        for (place, list) in lists.enumerated() {
            let text = ranks(list.text)
            let similar = ranks(list.similar)
            for item in Set(text.keys).union(similar.keys) {
                all.append((place, Found(datanet: list.datanet, item: item, textRank: text[item], similarityRank: similar[item])))
            }
        }
        all.sort { isBefore($0.found, $0.place, $1.found, $1.place) }
        var seen: Set<String> = []
        return all.compactMap { seen.insert($0.found.item).inserted ? $0.found : nil }
    }

    /// What is wrong with an answer's passages, as far as their ranks and order go; nil when nothing is.
    /// - Parameter datanets: those that the model retrieves from, in its order.
    public static func fault(in passages: [RetrievedPassage], ranking: RetrievalRanking?, datanets: [String]) -> String? {
        guard let ranking else {
            return passages.contains { $0.textRank != nil || $0.similarityRank != nil } ? "has ranks of passages and names no rule" : nil
        }
        guard ranking.rule == rule else { return "ranks passages by \(ranking.rule), which is no rule" }
        let found = passages.map {
            Found(datanet: $0.datanet, item: $0.item, textRank: $0.textRank, similarityRank: $0.similarityRank)
        }
        guard found.allSatisfy({ $0.textRank != nil || $0.similarityRank != nil }) else { return "has a passage that nothing found" }
        guard Set(found.map(\.item)).count == found.count else { return "has an item twice" }
        for ranks in [
            found.compactMap { one in one.textRank.map { "\(one.datanet) \($0)" } },
            found.compactMap { one in one.similarityRank.map { "\(one.datanet) \($0)" } },
        ]
        where Set(ranks).count != ranks.count { return "has two passages of one rank" }
        func place(_ datanet: String) -> Int { datanets.firstIndex(of: datanet) ?? datanets.count }
        for (first, second) in zip(found, found.dropFirst())
        where !isBefore(first, place(first.datanet), second, place(second.datanet)) {
            return "has \(second.item) behind \(first.item), against \(rule)"
        }
        return nil
    }

    private static func ranks(_ items: [String]) -> [String: Int] {
        var ranks: [String: Int] = [:]
        for (index, item) in items.enumerated() where ranks[item] == nil { ranks[item] = index + 1 }
        return ranks
    }

    private static func isBefore(_ left: Found, _ leftPlace: Int, _ right: Found, _ rightPlace: Int) -> Bool {
        let (one, other) = (
            score(textRank: left.textRank, similarityRank: left.similarityRank),
            score(textRank: right.textRank, similarityRank: right.similarityRank)
        )
        if one != other { return one > other }
        return (leftPlace, left.item) < (rightPlace, right.item)
    }
}
