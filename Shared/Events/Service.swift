/// The services of the house. A service may append only events whose noun is its own, to streams whose kind is its own.
public enum Service: String, Sendable, CaseIterable {
    /// Holds the log.
    case ledger
    /// Takes contributions in and screens them.
    case ingest
    /// Governs Datanets, reviews, admits and publishes snapshots.
    case datanet
    /// Fine-tunes and registers models.
    case training
    /// Says which data shaped an answer.
    case attribution
    /// Books who is owed what.
    case billing
    /// Serves answers and agents.
    case agentGateway = "agent-gateway"

    /// The nouns this service may speak of; a stream's kind is one of them too.
    public var nouns: Set<String> { Self.nounsByService[self] ?? [] }

    private static let nounsByService = Dictionary(uniqueKeysWithValues: allCases.map { ($0, $0.ownNouns) })

    private var ownNouns: Set<String> {
        switch self {
        case .ledger: ["log-key"]
        case .ingest: ["contribution", "content", "contributor"]
        case .datanet: ["datanet", "member", "review", "admission", "snapshot", "access", "proposal", "ruling"]
        case .training: ["base-model", "job", "model", "runner"]
        case .attribution: ["index", "attribution"]
        case .billing:
            ["account", "deposit", "hold", "settlement", "refund", "dispute", "stake", "payout", "price"]
        case .agentGateway: ["principal", "key", "mandate", "service", "task", "wallet", "payment", "inference", "webhook"]
        }
    }
}
