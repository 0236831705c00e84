internal import AgentGatewayDomain
internal import Telemetry

/// Whether and how passages are found by their meaning too.
struct RetrievalSettings: Sendable {
    /// The base that embeds; nil where words alone find.
    let model: String?
    /// Most items that are embedded.
    let items: Int
    /// How like a question a passage must be, as ``UnitVector/likeness(to:)`` says it.
    let least: Int

    /// - Throws: `ConfigurationError` for a model that no backend embeds with.
    init(_ settings: Configuration, sites: [BackendSite]) throws {
        model = settings.string("RETRIEVAL_EMBEDDINGS")
        items = try settings.integer("RETRIEVAL_ITEMS", in: 1...10_000_000, default: 50_000)
        least = try settings.integer("RETRIEVAL_LIKENESS", in: -100...100, default: 25) * UnitVector.one * UnitVector.one / 100
        if let model, !sites.contains(where: { $0.embeddings.contains(model) }) {
            throw ConfigurationError(
                key: "OPENLEDGER_RETRIEVAL_EMBEDDINGS", expected: "a base that a backend of OPENLEDGER_BACKENDS has under embeddings",
                found: model)
        }
    }
}
