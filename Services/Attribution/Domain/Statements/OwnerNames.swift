/// Which owners are verified, and which names are one owner's, each from a position of the log on.
///
/// Up to the rules 2 an owner is verified by a proof that the gateway saw, and each name is an owner of its own. From the rules 3 on a claim
/// that billing noted and an author's account that was claimed count too, as they do where money is paid; and the authors whom one principal
/// has claimed are one owner: under the principal's name where that is verified by itself, else under that of the author it claimed first.
/// From the rules 4 on somebody stands behind every other name: see `Parties`.
public struct OwnerNames: Sendable {
    private struct Claim: Sendable {
        let principal: String
        let position: UInt64
    }

    private var proven: [String: UInt64] = [:]
    private var vouched: [String: UInt64] = [:]
    private var claims: [String: Claim] = [:]
    private var authors: [String: [String]] = [:]
    private var changes = Milestones()
    /// Who brought each contribution.
    private var bringers: [String: String] = [:]
    /// All who brought any.
    private var bringing: Set<String> = []
    private var standings = Milestones()

    /// Nobody is verified.
    public init() {}

    /// The gateway saw a proof.
    public mutating func prove(_ owner: String, at position: UInt64) {
        guard proven[owner] == nil else { return }
        proven[owner] = position
        if authors[owner] != nil { changes.add(position) }
        // Who was verified before bringing anything is so in every table.
        if authors[owner] != nil || bringing.contains(owner) { standings.add(position) }
    }

    /// Billing was told of a proof.
    public mutating func vouch(_ owner: String, at position: UInt64) {
        guard vouched[owner] == nil else { return }
        vouched[owner] = position
        // An author's account too may be vouched for.
        standings.add(position)
        if authors[owner] != nil { changes.add(position) }
    }

    /// A principal brought a contribution, its own work or that of named authors.
    public mutating func bring(contribution: String, by principal: String) {
        guard bringers[contribution] == nil else { return }
        bringers[contribution] = principal
        bringing.insert(principal)
    }

    /// A Datanet's owner saw that a principal is an author. The first claim of an author holds.
    public mutating func claim(_ author: String, by principal: String, at position: UInt64) {
        guard claims[author] == nil else { return }
        claims[author] = Claim(principal: principal, position: position)
        authors[principal, default: []].append(author)
        changes.add(position)
        standings.add(position)
    }

    /// Whether an owner was verified before a position.
    public func isVerified(_ owner: String, before position: UInt64, rules: Int) -> Bool {
        if (proven[owner] ?? .max) < position { return true }
        guard rules >= 3 else { return false }
        return (vouched[owner] ?? .max) < position || (claims[owner]?.position ?? .max) < position
    }

    /// The name under which an owner earned before a position.
    public func earner(_ owner: String, before position: UInt64, rules: Int) -> String {
        guard rules >= 3, let claim = claims[owner], claim.position < position else { return owner }
        if min(proven[claim.principal] ?? .max, vouched[claim.principal] ?? .max) < position { return claim.principal }
        return authors[claim.principal]?.first ?? owner
    }

    /// Where names last changed hands before a position, and from the rules 4 on who stands behind them: between two such places they stay.
    public func lastChange(before position: UInt64, rules: Int) -> UInt64? {
        (rules < 4 ? changes : standings).last(before: position)
    }

    /// Who stands behind the owners of some items before a position.
    /// - Parameter items: by the name under which each earns, in the order in which they came.
    func parties(of items: [(owner: String, contribution: String)], before position: UInt64, rules: Int) -> Parties {
        guard rules >= 4 else { return .alone }
        var behind: [String: String] = [:]
        for (owner, contribution) in items where behind[owner] == nil && !isVerified(owner, before: position, rules: rules) {
            var bringer = bringers[contribution].map { earner($0, before: position, rules: rules) } ?? owner
            // Nobody but the crowd stands behind somebody who stands behind others.
            if let next = behind[bringer], next != Parties.crowd { bringer = next }
            if bringer == owner {
                behind[owner] = Parties.crowd
            } else {
                behind[owner] = bringer
                if behind[bringer] == nil, !isVerified(bringer, before: position, rules: rules) { behind[bringer] = Parties.crowd }
            }
        }
        return Parties(behind)
    }

    /// All names of the one who has this name, as it stood before a position: a penalty on one is on all.
    public func names(of owner: String, before position: UInt64) -> [String] {
        let claim = claims[owner].flatMap { $0.position < position ? $0 : nil }
        let principal = claim?.principal ?? owner
        let own = (authors[principal] ?? []).filter { (claims[$0]?.position ?? .max) < position }
        return Set([owner, principal] + own).sorted()
    }
}
