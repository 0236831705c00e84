/// Who stands behind owners: where a rule keeps a crowd of names from earning more than one name would, parties count and not names.
///
/// A verified owner is a party of its own. Behind an author whom nobody has claimed stands who brought the author's work, since nobody else
/// chose the name; and behind everybody who is not verified stands one crowd, which is one party.
public struct Parties: Sendable, Hashable {
    /// What stands behind all who are not verified; no owner has this name.
    public static let crowd = ""
    /// The most that stand behind one another: an author, who brought the author's work, the crowd.
    private static let depth = 3

    /// Who stands behind whom; whoever is not in it stands alone.
    public let behind: [String: String]

    /// Everybody stands alone.
    public static let alone = Parties([:])

    /// Takes who stands behind whom.
    public init(_ behind: [String: String]) { self.behind = behind }

    /// The party that an owner is of.
    public func party(of owner: String) -> String {
        var name = owner
        for _ in 0..<Self.depth {
            guard let next = behind[name] else { break }
            name = next
        }
        return name
    }

    /// What of it speaks of these owners.
    func only(_ owners: some Sequence<String>) -> Parties {
        var kept: [String: String] = [:]
        for owner in owners {
            var name = owner
            while kept[name] == nil, let next = behind[name] {
                kept[name] = next
                name = next
            }
        }
        return Parties(kept)
    }

    /// Whether everybody has somebody at the end who stands alone.
    var isSound: Bool {
        behind.allSatisfy { name, next in name != Self.crowd && name != next && behind[party(of: name)] == nil }
    }

    /// By how much a thing is divided for each of some different owners when it is split evenly: among parties, and within a party among
    /// those who stand next to one another.
    func divisors(among owners: [String]) -> [Int] {
        guard !behind.isEmpty else { return owners.map { _ in owners.count } }
        let tree = PartyTree(owners, self)
        return owners.map { tree.divisor(of: $0) }
    }
}

/// Some owners and those who stand behind them.
struct PartyTree {
    /// Those behind whom nobody stands.
    private(set) var roots: [String] = []
    /// The next below each, without itself.
    private(set) var below: [String: [String]] = [:]
    private var owners: Set<String> = []
    private let parties: Parties

    init(_ owners: some Sequence<String>, _ parties: Parties) {
        self.parties = parties
        var known: Set<String> = []
        for owner in owners where self.owners.insert(owner).inserted {
            var name = owner
            while known.insert(name).inserted {
                guard let next = parties.behind[name] else {
                    roots.append(name)
                    break
                }
                below[next, default: []].append(name)
                name = next
            }
        }
    }

    /// Whether a name is one of the owners itself, and not only behind one.
    func isOwner(_ name: String) -> Bool { owners.contains(name) }

    func divisor(of owner: String) -> Int {
        // Somebody behind whom others stand takes part beside them.
        var (divisor, name) = (branches(below: owner), owner)
        while let next = parties.behind[name] {
            divisor *= branches(below: next)
            name = next
        }
        return divisor * roots.count
    }

    private func branches(below name: String) -> Int { max(1, (below[name]?.count ?? 0) + (isOwner(name) ? 1 : 0)) }
}
