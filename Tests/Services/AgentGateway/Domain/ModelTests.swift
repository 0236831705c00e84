import AgentGatewayDomain
import Crypto
import Decisions
import Events
import JSON
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

    @Test func onlyTheLastAnswersAreRememberedAndAllAreCounted() throws {
        var state = GatewayState(remembering: 3)
        for number in 0..<8 {
            try state.apply(Fact.made(try Terms.answer("inf_\(number)"), number))
            #expect(state.answers.count == min(number + 1, 3) && state.unattributed == number + 1)
        }
        #expect((0..<8).filter { state.answers["inf_\($0)"] != nil } == [5, 6, 7])
        #expect(state.answers["inf_6"]?.inference == "inf_6")
    }

    @Test func aBaseStandsBeforeItsModelOrForTheFirstThatWasPublishedOfItAlone() throws {
        let state = try state([
            Terms.model("acme/tuned", adapter: SHA256.hash(utf8: "a")), Terms.model("zoo/plain"), Terms.model("acme/plain"),
            Terms.model("acme/other", base: "large", adapter: SHA256.hash(utf8: "b")),
        ])
        #expect(state.model(asked: "tiny:acme/tuned@1")?.model == "acme/tuned")
        #expect(state.model(asked: "tiny:acme/tuned")?.model == "acme/tuned")
        #expect(state.model(asked: "large:acme/tuned") == nil && state.model(asked: ":acme/tuned") == nil)
        #expect(state.model(asked: "tiny")?.model == "zoo/plain")
        #expect(state.model(asked: "large") == nil)
    }

    @Test func aPrivateModelIsForItsOwnerAndTheOwnersAgents() throws {
        let state = try state([
            PrincipalRegistered(principal: "bot", kind: "agent", key: "did:key:1", owner: "acme"),
            PrincipalRegistered(principal: "spy", kind: "agent", key: "did:key:2", owner: "eve"),
        ])
        let (open, closed) = (try Terms.model(), try Terms.model(isPrivate: true))
        #expect(["acme", "bot", "eve", "spy"].map { state.mayAsk(closed, $0) } == [true, true, false, false])
        #expect(state.mayAsk(open, "eve"))
        #expect(try ModelPublished(closed.json.object()) == closed && open.json["private"] == nil)
    }

    @Test func whatAKeyUsesIsCountedByDayAndInAll() throws {
        let asset = try Asset("USDC/6")
        var usage = KeyUsage()
        func used(_ day: Int64, fee: Int128) throws {
            try usage.add(
                InferenceCompleted(
                    inference: "in", payer: "ann", actor: "ann", key: "key", model: "m", version: 1, base: "b", prompt: .zero,
                    answer: .zero,
                    inputTokens: 3, outputTokens: 4, fee: Amount(fee, asset), runner: "r", passages: .entries([])),
                at: Timestamp(microseconds: day * 86_400_000_000 + 5))
        }
        try used(100, fee: 10)
        try used(100, fee: 5)
        #expect(usage.day == 100 && usage.requests == 2 && usage.tokens == 14 && usage.spentOnDay[asset]?.units == 15)
        try used(101, fee: 1)
        try used(100, fee: 2)
        #expect(usage.day == 101 && usage.requests == 1 && usage.spentOnDay[asset]?.units == 1 && usage.spent[asset]?.units == 18)
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
        retrieval: [String] = [], base: String = "tiny", adapter: Digest? = nil, isPrivate: Bool = false
    ) throws -> ModelPublished {
        let asset = try Asset("USDC/6")
        return ModelPublished(
            model: name, version: version, owner: "acme", base: base, adapter: adapter, snapshots: [], retrieval: retrieval,
            price: ModelPrice(request: Amount(request, asset), input: Amount(input, asset), output: Amount(output, asset)),
            split: ModelSplit(owner: 2_000, datanets: 3_000, contributors: 3_000, validators: 1_000, compute: 1_000),
            attribution: AttributionPolicy(
                rules: "attribution/1", spans: 4_000, influence: 3_000, retrieval: 3_000, threshold: 0, cap: 1_000_000_000,
                fallback: "tokens", minimumSpan: 4), isPrivate: isPrivate)
    }

    static func answer(_ id: String) throws -> InferenceCompleted {
        InferenceCompleted(
            inference: id, payer: "ann", actor: "ann", model: "acme/defi", version: 1, base: "tiny", prompt: .zero, answer: .zero,
            inputTokens: 1, outputTokens: 2, fee: Amount(15, try Asset("USDC/6")), hold: nil, runner: "r", passages: .entries([]))
    }
}
