internal import Events
internal import Money

/// Who may read which Datanet's content, for who asks about texts of their own.
struct Readers: Sendable {
    private struct Grant: Sendable {
        let datanet: String
        let grantee: String
        let expires: Timestamp?
    }

    private var roles: [String: [String: Set<String>]] = [:]
    private var grants: [String: Grant] = [:]
    /// By Datanet: where reading has a price.
    private var priced: Set<String> = []
    /// By Datanet: who became a consumer by themselves. They read as long as that is free.
    private var guests: [String: Set<String>] = [:]

    /// - Parameter actor: who gave it.
    mutating func give(_ role: String, to principal: String, in datanet: String, by actor: String) {
        roles[datanet, default: [:]][principal, default: []].insert(role)
        guard role == "consumer" else { return }
        if actor == principal { guests[datanet, default: []].insert(principal) } else { guests[datanet]?.remove(principal) }
    }

    mutating func take(_ role: String, from principal: String, in datanet: String) {
        roles[datanet]?[principal]?.remove(role)
        if role == "consumer" { guests[datanet]?.remove(principal) }
    }

    /// Learns what reading costs from here on.
    mutating func set(_ policy: DatanetPolicy, of datanet: String) {
        if policy.price?.isPositive == true { priced.insert(datanet) } else { priced.remove(datanet) }
    }

    mutating func grant(_ terms: AccessGranted) {
        grants[terms.grant] = Grant(datanet: terms.datanet, grantee: terms.grantee, expires: terms.expires)
    }

    mutating func revoke(grant: String) { grants[grant] = nil }

    /// Whether a principal reads the Datanet by a role or a grant that holds at this time: who reads its snapshots by datanet's rules.
    func may(_ principal: String, read datanet: String, at time: Timestamp) -> Bool {
        let own = roles[datanet]?[principal] ?? []
        if !own.isDisjoint(with: ["owner", "curator"]) { return true }
        let isGuest = guests[datanet]?.contains(principal) == true
        if own.contains("consumer"), !isGuest || !priced.contains(datanet) { return true }
        return grants.values.contains {
            $0.datanet == datanet && $0.grantee == principal && ($0.expires.map { time < $0 } ?? true)
        }
    }
}
