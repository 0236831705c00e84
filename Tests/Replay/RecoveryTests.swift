import AgentGatewayDomain
import AgentGatewayService
import Crypto
import Decisions
import EventLog
import Events
import Identity
import JSON
import LedgerService
import Replay
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing
import Web

@testable import openledger

/// A principal with more agents than one append has room for is recovered in parts; an audit wants all of them.
@Suite struct RecoveryTests {
    /// What the gateway's rules make, on a log in memory.
    struct Play {
        var state = GatewayState()
        var events: [[UInt8]] = []
        var time = Timestamp(microseconds: 1_790_000_000_000_000)

        @discardableResult
        mutating func decide(_ command: String, by actor: String, _ rule: DecisionMaker<GatewayState>.Rule) throws -> [NewEvent] {
            time = Timestamp(microseconds: time.microseconds + 1_000)
            let cause = Cause.command(id: command, digest: SHA256.hash(utf8: command))
            let made = try rule(state, DecisionContext(time: time, logTime: time, cause: cause, actor: actor))
            for (ordinal, event) in made.enumerated() {
                let bytes = try Event(
                    type: event.type, stream: event.stream, time: time, actor: actor, cause: cause, ordinal: ordinal, correlation: "t",
                    data: event.data
                ).encoded()
                try state.apply(try Fact(LoggedEvent(position: UInt64(events.count), version: 0, bytes: bytes)))
                events.append(bytes)
            }
            return made
        }

        mutating func register(_ kind: String, _ key: Ed25519PrivateKey, of owner: (id: String, key: Ed25519PrivateKey)? = nil) throws
            -> String
        {
            let did = DIDKey.text(for: key.publicKey)
            let message = ProofMessages.registration(kind: kind, key: did, owner: owner?.id)
            let proof = KeyProof(
                signature: Base64URL.encode(try key.sign(message)), ownerKey: owner.map { DIDKey.text(for: $0.key.publicKey) },
                ownerSignature: try owner.map { Base64URL.encode(try $0.key.sign(message)) })
            let made = try decide(
                "register-\(events.count)", by: did, PrincipalRules.register(kind: kind, key: did, owner: owner?.id, proof: proof))
            return try PrincipalRegistered(try #require(made.first).data.object()).principal
        }

        mutating func recover(_ principal: String, _ key: Ed25519PrivateKey) throws -> [NewEvent] {
            let did = DIDKey.text(for: key.publicKey)
            let signature = Base64URL.encode(try key.sign(ProofMessages.recovery(principal: principal, key: did)))
            return try decide("recover", by: "root", PrincipalRules.recover(principal, adding: did, signature: signature))
        }

        func audit(_ events: [[UInt8]]? = nil) async throws -> ReplayReport { try await TamperedLog.audit(events ?? self.events, [:]) }
    }

    /// A thousand and a hundred agents and their owner, whose key was lost.
    private static func lost() throws -> (play: Play, owner: String, agents: [String]) {
        var play = Play()
        let key = try Ed25519PrivateKey.generate()
        let owner = try play.register("person", key)
        var agents: [String] = []
        for _ in 0..<1_100 { agents.append(try play.register("agent", try .generate(), of: (owner, key))) }
        return (play, owner, agents)
    }

    @Test func `all of it counts no more at once, and is told in parts that an audit holds to the last`() async throws {
        let lost = try Self.lost()
        var play = lost.play
        let (owner, agents) = (lost.owner, lost.agents)
        let before = play.events.count
        let first = try play.recover(owner, try .generate())
        #expect(first.count == 1_024 && play.state.keysToEnd.count == 1_101 - 1_023)
        // Also those of whom nothing has been told yet.
        #expect(agents.allSatisfy { play.state.principals[$0]?.keys.isEmpty == true && play.state.principals[$0]?.tokensEnd != nil })
        #expect(play.state.principalByKey.count == 1 && play.state.keysByThumbprint.count == 1)
        // What is yet to be told of is nobody's anew.
        guard case .linked(let thief, _)? = play.state.keysToEnd.last?.key else { return #expect(Bool(false), "nothing is left") }
        #expect(throws: GatewayError.self) {
            try play.decide("again", by: thief, PrincipalRules.register(kind: "person", key: thief, owner: nil))
        }

        // A crash here: whoever reads the log knows what is left.
        var reborn = GatewayState()
        for (position, bytes) in play.events.enumerated() {
            try reborn.apply(try Fact(LoggedEvent(position: UInt64(position), version: 0, bytes: bytes)))
        }
        #expect(reborn.keysToEnd.map(\.key) == play.state.keysToEnd.map(\.key))
        let halfway = play.events
        let rest = try play.decide(PrincipalRules.restStep + "1", by: "agent-gateway", PrincipalRules.endRest())
        #expect(rest.count == 78 && play.state.keysToEnd.isEmpty)
        #expect(try play.decide(PrincipalRules.restStep + "2", by: "agent-gateway", PrincipalRules.endRest()).isEmpty)
        #expect(play.events.count == before + 1_102)
        // Told of, it is free again.
        _ = try PrincipalRules.register(kind: "person", key: thief, owner: nil)(
            play.state, DecisionContext(time: play.time, logTime: play.time, cause: .command(id: "x", digest: .zero), actor: thief))

        let report = try await play.audit()
        #expect(report.isGood, "\(report.faults)")
        #expect(report.services.contains { $0.checked["parts of recoveries"] == 1 })

        // Halfway nothing is wrong yet; when the gateway has long gone on, the rest is missing.
        #expect(try await play.audit(halfway).isGood)
        var late = play
        late.state = reborn
        late.events = halfway
        late.time = Timestamp(microseconds: late.time.microseconds + 700_000_000)
        _ = try late.register("person", try .generate())
        let missing = try await late.audit()
        #expect(missing.faults.contains { $0.rule == "missing" && $0.reason.contains("78 keys") }, "\(missing.faults)")

        // A part that leaves a key out, or is somebody else's.
        #expect(try await !play.audit(Array(play.events.dropLast())).isGood)
        var forged = play
        forged.state = reborn
        forged.events = halfway
        try forged.decide(PrincipalRules.restStep + "1", by: "mallory", PrincipalRules.endRest())
        #expect(try await !forged.audit().isGood)
    }

    /// As `openledger serve` has it: a service beside the gateway knows of tokens what the log tells.
    @Test func `a service apart from the gateway refuses tokens that were made before a key ended`() async throws {
        try await withServiceHouse { house in
            let gateway = try await AgentGatewayService.open(house.context(.agentGateway))
            let watch = try await TokenWatch.open(house.context(.billing))
            let running = Task {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await gateway.run() }
                    group.addTask { await watch.run() }
                }
            }
            let keys = try #require(watch.apiKeys)
            try house.mount(
                [LedgerRoutes(house.ledger).mount, gateway.mount, watch.mount],
                grants: [LedgerRoutes.services, AgentGatewayService.grants], keys: keys)
            let whole = WholeHouse(house)
            let story = StoryTelling(whole: whole)
            let ann = try await story.register("person")
            #expect(try await keys.tokensEnd(of: ann.id) == nil)
            let other = try Ed25519PrivateKey.generate()
            let did = DIDKey.text(for: other.publicKey)
            let signature = Base64URL.encode(try other.sign(ProofMessages.linking(principal: ann.id, key: did)))
            let change: JSONValue = [
                "add": .string(did), "signature": .string(signature), "remove": .string(DIDKey.text(for: ann.key.publicKey)),
            ]
            try await whole.call("POST", "/v1/principals/\(ann.id)/keys", as: ann.id, change)
            try await eventually("the change is known") { try await keys.tokensEnd(of: ann.id) != nil }
            // This one is made in the same second, or before it.
            let end = try #require(try await keys.tokensEnd(of: ann.id))
            let old = try house.token(ann.id, scopes: ["keys:write"], now: end)
            let new = try house.token(ann.id, scopes: ["keys:write"], now: end + 1)
            #expect(try await whole.status("GET", "/v1/keys", token: old) == 401)
            #expect(try await whole.status("GET", "/v1/keys", token: new) == 200)
            running.cancel()
            await running.value
        }
    }
}
