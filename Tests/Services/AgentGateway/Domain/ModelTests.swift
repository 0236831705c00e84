import AgentGatewayDomain
import Decisions
import Events
import Money
import ServiceTestSupport
import Testing

@Suite struct ModelTests {
    private func state(_ events: [any EventData]) throws -> GatewayState {
        var state = GatewayState()
        for (index, event) in events.enumerated() { try state.apply(Fact.made(event, index)) }
        return state
    }

    private func published(_ version: Int) throws -> ModelPublished { try Terms.model(version: version) }

    @Test func aNameMeansTheNewestVersionAndANumberThatVersion() throws {
        let state = try state([published(1), published(2), published(3)])
        #expect(state.model(named: "acme/defi")?.version == 3)
        #expect(state.model(named: "acme/defi@1")?.version == 1)
        for name in [
            "acme/other", "acme/defi@0", "acme/defi@4", "acme/defi@-1", "acme/defi@01", "acme/defi@+1", "acme/defi@", "acme/defi@1@2", "@",
            "",
        ] {
            #expect(state.model(named: name) == nil, "\(name)")
        }
    }

    @Test func aRetiredVersionIsNotAsked() throws {
        let newest = try state([published(1), published(2), ModelRetired(model: "acme/defi", version: 2)])
        #expect(newest.model(named: "acme/defi")?.version == 1)
        #expect(newest.model(named: "acme/defi@2") == nil)
        var all = try state([published(1), published(2), ModelRetired(model: "acme/defi")])
        #expect(all.model(named: "acme/defi") == nil && all.model(named: "acme/defi@1") == nil)
        try all.apply(Fact.made(published(3), 9))
        #expect(all.model(named: "acme/defi")?.version == 3)
        #expect(all.model(named: "acme/defi@3")?.version == 3)
    }
}

/// Terms of a model for tests.
enum Terms {
    static func model(
        _ name: String = "acme/defi", version: Int = 1, request: Int128 = 10, input: Int128 = 1_000_000, output: Int128 = 2_000_000,
        retrieval: [String] = []
    ) throws -> ModelPublished {
        let asset = try Asset("USDC/6")
        return ModelPublished(
            model: name, version: version, owner: "acme", base: "tiny", snapshots: [], retrieval: retrieval,
            price: ModelPrice(request: Amount(request, asset), input: Amount(input, asset), output: Amount(output, asset)),
            split: ModelSplit(owner: 2_000, datanets: 3_000, contributors: 3_000, validators: 1_000, compute: 1_000),
            attribution: AttributionPolicy(
                rules: "attribution/1", spans: 4_000, influence: 3_000, retrieval: 3_000, threshold: 0, cap: 1_000_000_000,
                fallback: "tokens", minimumSpan: 4))
    }
}
