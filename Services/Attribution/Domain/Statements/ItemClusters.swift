internal import Events

/// The clusters of near-duplicates among the items of searched snapshots, and who heads each: the item that all others lead to, whatever is
/// between, as long as it may be paid; else the earliest of those that may.
///
/// An item leads to the one that its Datanet says it repeats; where that is in no list, to the one that its index says. Each leads to one
/// other at most, so that nobody joins two clusters by bringing something between them.
struct ItemClusters {
    private var roots: [String: String] = [:]
    private var heads: [String: String] = [:]
    /// New words of the items that others lead to, also of those that are gone.
    private var uniques: [String: Int] = [:]

    /// - Parameter isLiving: whether an item may be paid.
    init(_ searched: [SearchedSnapshot], isLiving: (KnownItem) -> Bool) {
        var items: [String: KnownItem] = [:]
        for snapshot in searched { for item in snapshot.items where items[item.admitted.item] == nil { items[item.admitted.item] = item } }
        var next: [String: String] = [:]
        for (id, item) in items {
            let own = item.admitted.cluster == id ? nil : item.admitted.cluster
            let isListed = own.map { items[$0] != nil } ?? false
            if let other = isListed ? own : item.head ?? own, other != id { next[id] = other }
        }
        for id in next.keys { resolve(id, next) }
        for root in Set(roots.values) { uniques[root] = items[root].map { $0.unique ?? $0.admitted.tokens } }
        // By root: the earliest that lives, and the root before all.
        var firsts: [String: (isRoot: Bool, position: UInt64, id: String)] = [:]
        for (id, item) in items {
            guard let root = roots[id] ?? (uniques[id] == nil ? nil : id), isLiving(item) else { continue }
            let candidate = (isRoot: id == root, position: item.position, id: id)
            if let known = firsts[root] {
                let isEarlier = (known.isRoot ? 0 : 1, known.position, known.id) <= (candidate.isRoot ? 0 : 1, candidate.position, id)
                if isEarlier { continue }
            }
            firsts[root] = candidate
        }
        heads = firsts.mapValues(\.id)
    }

    /// Follows an item to the end. Where items lead in a circle, the end is the one of them whose id comes first.
    private mutating func resolve(_ start: String, _ next: [String: String]) {
        var path: [String] = []
        var places: [String: Int] = [:]
        var id = start
        while roots[id] == nil, places[id] == nil, let following = next[id] {
            places[id] = path.count
            path.append(id)
            id = following
        }
        let root = roots[id] ?? places[id].flatMap { path[$0...].min() } ?? id
        for passed in path { roots[passed] = root }
    }

    /// The item that earns for a living one; nil where that is itself.
    func head(of id: String) -> String? {
        guard let head = heads[roots[id] ?? id], head != id else { return nil }
        return head
    }

    /// New words of an item: one that heads its cluster in place of another has that one's too, as far as it is as long.
    func unique(of item: KnownItem) -> Int? {
        guard let own = item.unique, let root = roots[item.admitted.item], heads[root] == item.admitted.item, let gone = uniques[root]
        else {
            return item.unique
        }
        return max(own, min(item.admitted.tokens, gone))
    }
}
