import AgentGatewayDomain
import Crypto
import Decisions
import Events
import JSON
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
        #expect(throws: GatewayError.notFound("API key key_1")) { try PrincipalRules.revoke("key_1", of: "pr_bot")(state, context) }
        #expect(try PrincipalRules.revoke("key_1", of: "pr_ann")(state, context).count == 1)
        try state.apply(Fact.made(KeyRevoked(key: "key_1", principal: "pr_ann"), 9))
        #expect(state.apiKeys.isEmpty)
        #expect(throws: GatewayError.notFound("API key key_1")) { try PrincipalRules.revoke("key_1", of: "pr_ann")(state, context) }
    }
}
