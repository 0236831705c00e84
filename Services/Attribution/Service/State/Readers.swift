internal import Events

/// Who may read which Datanet's content, for who asks about texts of their own.
struct Readers: Sendable {
    private struct Grant: Sendable {
        let datanet: String
        let grantee: String
        let expires: Timestamp?
    }

    private var roles: [String: [String: Set<String>]] = [:]
    private var grants: [String: Grant] = [:]
    private static let reading: Set<String> = ["owner", "curator", "consumer"]

    mutating func give(_ role: String, to principal: String, in datanet: String) {
        roles[datanet, default: [:]][principal, default: []].insert(role)
    }

    mutating func take(_ role: String, from principal: String, in datanet: String) { roles[datanet]?[principal]?.remove(role) }

    mutating func grant(_ terms: AccessGranted) {
        grants[terms.grant] = Grant(datanet: terms.datanet, grantee: terms.grantee, expires: terms.expires)
    }

    mutating func revoke(grant: String) { grants[grant] = nil }

    /// Whether a principal reads the Datanet by a role or a grant that holds at this time.
    func may(_ principal: String, read datanet: String, at time: Timestamp) -> Bool {
        if let own = roles[datanet]?[principal], !own.isDisjoint(with: Self.reading) { return true }
        return grants.values.contains {
            $0.datanet == datanet && $0.grantee == principal && ($0.expires.map { time < $0 } ?? true)
        }
    }
}
