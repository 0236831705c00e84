/// What retrieved passages earn: by what of them stands in the answer, not by having been fetched.
enum RetrievalCredit {
    /// The passages in the order given. A word of the answer that several owners' passages have is split evenly among them, from the rules 4 on among
    /// their parties; a word that the
    /// prompt said earns nothing.
    static func evidence(
        answer: [WordHash], echoed: [Bool], passages: [RetrievedPassage], items: SnapshotItems, policy: AttributionPolicy
    ) throws(AttributionError) -> [PassageEvidence] {
        guard passages.count <= AttributionLimits.passages else {
            throw .tooMany(what: "passages", count: passages.count, limit: AttributionLimits.passages)
        }
        let paid = passages.map { $0.isCited ? Apportionment.whole : policy.uncitedPassages }
        var owners: [String?] = []
        var covers: [[Bool]] = []
        for passage in passages {
            owners.append(items[items.earner(for: passage.item)]?.owner)
            covers.append(GramCover.covered(answer, by: passage.text.hashes(key: .local), length: policy.passageTokens))
        }
        var used = [Int](repeating: 0, count: passages.count)
        var credit = [Int](repeating: 0, count: passages.count)
        for word in answer.indices where !echoed[word] {
            // The first passage of each owner stands for the others: two passages of one owner earn no more than one.
            var seen: [String: Int] = [:]
            for index in passages.indices where covers[index][word] {
                used[index] += 1
                guard let owner = owners[index], paid[index] > 0 else { continue }
                if let known = seen[owner], paid[known] >= paid[index] { continue }
                seen[owner] = index
            }
            let names = seen.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let divisors = policy.rules < 4 ? names.map { _ in names.count } : items.parties.divisors(among: names)
            for (name, divisor) in zip(names, divisors) { if let index = seen[name] { credit[index] += paid[index] / divisor } }
        }
        return passages.indices.compactMap { index in
            owners[index].map {
                PassageEvidence(
                    item: passages[index].item, owner: $0, isCited: passages[index].isCited, usedTokens: used[index], credit: credit[index])
            }
        }
    }
}
