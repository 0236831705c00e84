internal import Crypto
internal import Events
internal import Identity

/// A key that ends with a recovery.
public enum LostKey: Sendable, Hashable {
    /// A linked key, by its did:key.
    case linked(String, of: String)
    /// An API key, by its id.
    case api(String, of: String)
}

/// Recoveries. A principal can have more agents than one append has room for: all that a recovery ends counts no more with its first event,
/// and is told part by part until nothing is left. So there is no moment at which some of it still counts, and a crash leaves a rest that is
/// read from the log.
extension GatewayState {
    /// What a principal's recovery ends: its own keys, and those of agents that were registered by one of them; of each first the linked ones,
    /// then its API keys.
    func keysLost(with known: Principal) -> [LostKey] {
        let agents = principals.values.filter { agent in
            agent.owner == known.id && agent.consent.map { known.keys.contains($0) } == true
        }.sorted { $0.id < $1.id }
        let all = [known] + agents
        let names = Set(all.map(\.id))
        var issued: [String: [String]] = [:]
        for key in apiKeys.values where names.contains(key.principal) { issued[key.principal, default: []].append(key.key) }
        return all.flatMap { principal in
            principal.keys.map { LostKey.linked($0, of: principal.id) }
                + (issued[principal.id] ?? []).sorted().map { LostKey.api($0, of: principal.id) }
        }
    }

    /// Whether it is yet to be told that a linked key has ended: until then it is nobody's anew.
    func isEnding(_ did: String) -> Bool {
        keysToEnd.contains { if case .linked(did, _) = $0.key { true } else { false } }
    }

    /// Ends all of it at once; it is yet to be told.
    mutating func lose(_ keys: [LostKey], at time: Timestamp) {
        for key in keys {
            switch key {
            case .linked(let did, let id): unlink(did, from: id, at: time)
            case .api(let id, _): dropAPIKey(id)
            }
            keysToEnd.append((key, time))
        }
    }

    /// Whether it was to be told that a key has ended, which it now is.
    mutating func isTold(_ key: LostKey) -> Bool {
        // They are told in their order.
        if keysToEnd.first?.key == key {
            keysToEnd.removeFirst()
            return true
        }
        guard let place = keysToEnd.firstIndex(where: { $0.key == key }) else { return false }
        keysToEnd.remove(at: place)
        return true
    }
}
