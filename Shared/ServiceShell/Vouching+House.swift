internal import Events
internal import Identity
public import Web

extension Vouching {
    /// For whom the services' keys may speak besides themselves. The gateway has no line: people and agents are its own to know. Of the
    /// others only training has somebody, the runner that works in its process; so whoever gets hold of a service's key is that
    /// service, and nobody else.
    public static let house: [String: [Vouching]] = {
        var table = Dictionary(uniqueKeysWithValues: Service.allCases.map { ($0.rawValue, [Vouching]()) })
        table[Service.agentGateway.rawValue] = nil
        table[Service.training.rawValue] = [runner]
        return table
    }()

    /// The runner beside training.
    public static let runner = Vouching(
        subject: "runner", kind: .agent, scopes: ["runners:work", "runners:check", "artefacts:read", "models:write"])
}
