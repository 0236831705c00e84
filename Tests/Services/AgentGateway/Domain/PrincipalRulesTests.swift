import AgentGatewayDomain
import Crypto
import Decisions
import Events
import JSON
import Money
import ServiceTestSupport
import Testing

@Suite struct PrincipalRulesTests {
    private let digest = SHA256.hash(utf8: "key")
    private let context = DecisionContext(
        time: Timestamp(microseconds: 1_000), logTime: Timestamp(microseconds: 1_000),
        cause: .command(id: "c", digest: SHA256.hash(utf8: "c")), actor: "pr_ann")

    private func state(_ more: [any EventData] = []) throws -> GatewayState {
        var state = GatewayState()
        let events: [any EventData] =
            [
                PrincipalRegistered(principal: "pr_ann", kind: "person", key: "did:ann"),
                PrincipalRegistered(principal: "pr_bot", kind: "agent", key: "did:bot", owner: "pr_ann"),
            ] + more
        for (index, event) in events.enumerated() { try state.apply(Fact.made(event, index)) }
        return state
    }

    @Test func somebodyNewIsRegisteredUnderAKeyOfTheirOwn() throws {
        let state = try state()
        let events = try PrincipalRules.register(kind: "organisation", key: "did:new", owner: nil)(state, context)
        let registered = try PrincipalRegistered(#require(events.first).data.object())
        #expect(registered.kind == "organisation" && registered.key == "did:new" && registered.owner == nil)
        #expect(throws: GatewayError.exists("a principal with the key did:ann")) {
            try PrincipalRules.register(kind: "person", key: "did:ann", owner: nil)(state, context)
        }
    }

    @Test func anAgentBelongsToAPersonOrOrganisationAndNobodyElseToAnybody() throws {
        let state = try state()
        func register(_ kind: String, _ owner: String?) throws -> [NewEvent] {
            try PrincipalRules.register(kind: kind, key: "did:new", owner: owner)(state, context)
        }
        #expect(try register("agent", "pr_ann").count == 1)
        for (kind, owner) in [("agent", nil), ("agent", "pr_bot"), ("agent", "pr_nobody"), ("person", "pr_ann")] as [(String, String?)] {
            #expect(throws: GatewayError.self, "\(kind) of \(owner ?? "nobody")") { try register(kind, owner) }
        }
    }

    @Test func keysAreAddedTakenAwayAndReplacedButTheLastOneStays() throws {
        var state = try state()
        #expect(throws: GatewayError.self) { try PrincipalRules.rotate("pr_ann", adding: nil, removing: "did:ann")(state, context) }
        #expect(throws: GatewayError.self) { try PrincipalRules.rotate("pr_ann", adding: "did:bot", removing: nil)(state, context) }
        #expect(throws: GatewayError.self) { try PrincipalRules.rotate("pr_ann", adding: "did:ann", removing: "did:ann")(state, context) }
        #expect(throws: GatewayError.self) { try PrincipalRules.rotate("pr_ann", adding: nil, removing: nil)(state, context) }
        #expect(throws: GatewayError.self) { try PrincipalRules.rotate("pr_ann", adding: nil, removing: "did:bot")(state, context) }
        let replaced = try PrincipalRules.rotate("pr_ann", adding: "did:two", removing: "did:ann")(state, context)
        try state.apply(Fact.made(KeyRotated(#require(replaced.first).data.object()), 9))
        #expect(state.principals["pr_ann"]?.keys == ["did:two"])
        #expect(state.principalByKey["did:ann"] == nil && state.principalByKey["did:two"] == "pr_ann")
        // The key that was given up is free again.
        #expect(try PrincipalRules.register(kind: "person", key: "did:ann", owner: nil)(state, context).count == 1)
    }

    @Test func whoLostTheirKeysGetsOneAndAllOthersEnd() throws {
        let issued = KeyIssued(key: "key_1", principal: "pr_ann", hash: digest, scopes: ["inferences:write"])
        var state = try state([KeyRotated(principal: "pr_ann", added: "did:two"), issued])
        let events = try PrincipalRules.recover("pr_ann", adding: "did:new")(state, context)
        #expect(events.map(\.type) == [KeyRotated.type, KeyRotated.type, KeyRotated.type, KeyRevoked.type])
        for (index, event) in events.enumerated() {
            try state.apply(
                event.type == KeyRevoked.type
                    ? Fact.made(KeyRevoked(event.data.object()), 20 + index) : Fact.made(KeyRotated(event.data.object()), 20 + index))
        }
        #expect(state.principals["pr_ann"]?.keys == ["did:new"] && state.principalByKey["did:ann"] == nil)
        #expect(state.apiKeys.isEmpty && state.principals["pr_bot"]?.keys == ["did:bot"])
        #expect(throws: GatewayError.self) { try PrincipalRules.recover("pr_ann", adding: "did:bot")(state, context) }
        #expect(throws: GatewayError.self) { try PrincipalRules.recover("pr_nobody", adding: "did:x")(state, context) }
    }

    @Test func aClaimIsRecordedOnceAndMakesAPrincipalPayable() throws {
        var state = try state()
        #expect(state.principals["pr_ann"]?.isVerified == false)
        let events = try PrincipalRules.verify("pr_ann", claim: "mail")(state, context)
        try state.apply(Fact.made(KeyRotated(#require(events.first).data.object()), 9))
        #expect(state.principals["pr_ann"]?.isVerified == true)
        #expect(try PrincipalRules.verify("pr_ann", claim: "mail")(state, context).isEmpty)
        #expect(throws: GatewayError.self) { try PrincipalRules.verify("pr_ann", claim: "friend")(state, context) }
        #expect(throws: GatewayError.self) { try PrincipalRules.verify("pr_nobody", claim: "mail")(state, context) }
    }

    @Test func nobodyGivesAKeyMoreThanTheyHave() throws {
        let state = try state()
        func issue(_ scopes: Set<String>, expires: Timestamp? = nil) throws -> [NewEvent] {
            try PrincipalRules.issue(digest, to: "pr_ann", scopes: scopes, allowed: ["a:read", "b:read"], expires: expires)(state, context)
        }
        let issued = try KeyIssued(#require(try issue(["b:read", "a:read"]).first).data.object())
        #expect(issued.scopes == ["a:read", "b:read"] && issued.hash == digest)
        #expect(throws: GatewayError.forbidden("you may not give what you do not have: c:read, d:read")) {
            try issue(["a:read", "d:read", "c:read"])
        }
        #expect(throws: GatewayError.self) { try issue(["a:read"], expires: Timestamp(microseconds: 1_000)) }
        #expect(try issue(["a:read"], expires: Timestamp(microseconds: 1_001)).count == 1)
    }

    /// Who found a key may have registered agents by it: they end with it, those of other keys go on.
    @Test func agentsOfAKeyThatWasLostEndWithIt() throws {
        func agent(_ id: String, by key: String) -> PrincipalRegistered {
            PrincipalRegistered(
                principal: id, kind: "agent", key: "did:" + id, owner: "pr_ann", signature: "s", ownerKey: key, ownerSignature: "s")
        }
        let state = try state([
            agent("pr_thief", by: "did:ann"), agent("pr_other", by: "did:gone"),
            KeyIssued(key: "key_1", principal: "pr_thief", hash: digest, scopes: []),
            KeyIssued(key: "key_2", principal: "pr_other", hash: SHA256.hash(utf8: "2"), scopes: []),
        ])
        let events = try PrincipalRules.recover("pr_ann", adding: "did:new")(state, context)
        var after = state
        for (index, event) in events.enumerated() {
            let fact =
                event.type == KeyRevoked.type
                ? try Fact.made(KeyRevoked(event.data.object()), 20 + index) : try Fact.made(KeyRotated(event.data.object()), 20 + index)
            try after.apply(fact)
        }
        #expect(after.principals["pr_ann"]?.keys == ["did:new"] && after.principals["pr_thief"]?.keys == [])
        #expect(after.principals["pr_other"]?.keys == ["did:pr_other"] && after.principals["pr_bot"]?.keys == ["did:bot"])
        #expect(after.principalByKey["did:pr_thief"] == nil && after.apiKeys.values.map(\.key) == ["key_2"])
        // Its owner gives one that was its own a new key.
        #expect(try PrincipalRules.recover("pr_thief", adding: "did:again")(after, context).count == 1)
    }

    /// A limit of money is one of answers: a key that has it moves no money beside them.
    @Test func aKeyWithALimitOfMoneyMovesNoOther() throws {
        let state = try state([])
        let amount = Amount(5, try Asset("USDC/6"))
        let all = PrincipalRules.usualScopes
        for limits in [KeyLimits(budget: amount), KeyLimits(day: .init(money: amount))] {
            for scope in all.sorted() {
                let issue = PrincipalRules.issue(digest, to: "pr_ann", scopes: [scope], allowed: all, expires: nil, limits: limits)
                if PrincipalRules.limitedScopes.contains(scope) {
                    #expect(try issue(state, context).count == 1)
                } else {
                    #expect(throws: GatewayError.self) { try issue(state, context) }
                }
            }
        }
        #expect(!PrincipalRules.limitedScopes.contains("agents:write") && all.contains("agents:write"))
        let plain = KeyLimits(minute: .init(requests: 3))
        #expect(
            try PrincipalRules.issue(digest, to: "pr_ann", scopes: all, allowed: all, expires: nil, limits: plain)(state, context).count
                == 1)
    }

    @Test func aPrincipalHasAHundredKeysAtMost() throws {
        let keys = (0..<PrincipalRules.maximumKeys).map {
            KeyIssued(key: "key_\($0)", principal: "pr_ann", hash: SHA256.hash(utf8: "\($0)"), scopes: [])
        }
        var state = try state(keys)
        let issue = PrincipalRules.issue(digest, to: "pr_ann", scopes: [], allowed: [], expires: nil)
        #expect(throws: GatewayError.self) { try issue(state, context) }
        try state.apply(Fact.made(KeyRevoked(key: "key_7", principal: "pr_ann"), 500))
        #expect(try issue(state, context).count == 1)
    }

    @Test func aKeyIsRevokedByWhomItBelongsToAndOnce() throws {
        var state = try state([KeyIssued(key: "key_1", principal: "pr_ann", hash: digest, scopes: [])])
        #expect(throws: GatewayError.notFound("API key key_1")) { try PrincipalRules.revoke("key_1", by: "pr_bot")(state, context) }
        #expect(try PrincipalRules.revoke("key_1", by: "pr_ann")(state, context).count == 1)
        try state.apply(Fact.made(KeyRevoked(key: "key_1", principal: "pr_ann"), 9))
        #expect(state.apiKeys.isEmpty)
        // Whom an agent belongs to ends its keys, and no other agent does.
        try state.apply(
            Fact.made(PrincipalRegistered(principal: "pr_own", kind: "agent", key: "did:key:z9", owner: "pr_ann"), 10))
        try state.apply(Fact.made(KeyIssued(key: "key_2", principal: "pr_own", hash: digest, scopes: []), 11))
        #expect(throws: GatewayError.notFound("API key key_2")) { try PrincipalRules.revoke("key_2", by: "pr_bot")(state, context) }
        #expect(try PrincipalRules.revoke("key_2", by: "pr_ann")(state, context).first?.data["principal"] == "pr_own")
        #expect(throws: GatewayError.notFound("API key key_1")) { try PrincipalRules.revoke("key_1", by: "pr_ann")(state, context) }
    }
}
