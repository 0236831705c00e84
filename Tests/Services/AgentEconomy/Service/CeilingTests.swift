import JSON
import AgentEconomyDomain
import Crypto
import Decisions
import EventLog
import Events
import LedgerService
import Money
import ServiceTestSupport
import TestSupport
import Testing

/// Many agents at once, on a real ledger, decided by two instances that know nothing of each other but the log.
@Suite struct CeilingTests {
    private static let budget = 1_000

    private static func maker(_ house: ServiceHouse) -> DecisionMaker<EconomyState> {
        DecisionMaker(.agentGateway, log: house.ledger.client(for: .agentGateway), clock: { LedgerClock.system.now() }) { EconomyState() }
    }

    private static func cause(_ name: String) -> Cause { .command(id: name, digest: SHA256.hash(utf8: name)) }

    @Test func twoInstancesAndManyAgentsNeverSpendAUnitMoreThanTheRootAllows() async throws {
        try await withServiceHouse { house in
            let makers = [Self.maker(house), Self.maker(house)]
            let running = makers.map { maker in Task { await maker.run() } }
            defer { for task in running { task.cancel() } }
            let log = house.ledger.client(for: .agentGateway)
            for index in 0..<25 {
                let data = PrincipalRegistered(principal: "a\(index)", kind: "agent", key: "did:\(index)", owner: "ann")
                let event = Event(
                    type: PrincipalRegistered.type, stream: try #require(StreamName("principal/a\(index)")), time: LedgerClock.system.now(),
                    actor: "t", cause: Self.cause("reg\(index)"), ordinal: 0, correlation: "t", data: data.json)
                _ = try await log.append(AppendRequest(events: [event.encoded()]))
            }
            let expires = try #require(Timestamp("2099-01-01T00:00:00.000000Z"))
            @Sendable func grant(_ grantor: String, _ agent: String, _ parent: String?, _ units: Int, carved: Bool = false) async throws
                -> String
            {
                let terms = MandateTerms(
                    budget: try World.amount(units), period: "once", expires: expires, carved: carved)
                let outcome = try await makers[0].decide(
                    Self.cause("grant-" + agent), actor: grantor, correlation: "t",
                    GrantRules.grant(.init(agent: agent, parent: parent, terms: terms)))
                return try outcome.first(MandateGranted.self).mandate
            }
            let root = try await grant("ann", "a0", nil, Self.budget)
            var leaves: [(agent: String, mandate: String)] = []
            for branch in 0..<4 {
                let middle = try await grant("a0", "a\(branch + 1)", root, branch == 0 ? 100 : Self.budget, carved: branch == 0)
                for leaf in 0..<5 {
                    let agent = "a\(5 + branch * 5 + leaf)"
                    leaves.append((agent, try await grant("a\(branch + 1)", agent, middle, branch == 0 ? 100 : Self.budget)))
                }
            }
            let spenders = leaves
            let accepted = await withTaskGroup(of: Int.self) { group in
                for (index, leaf) in spenders.enumerated() {
                    group.addTask {
                        var sum = 0
                        for round in 0..<20 {
                            let units = 1 + (index * 7 + round * 3) % 11
                            guard let amount = try? World.amount(units) else { continue }
                            let outcome = try? await makers[round % 2].decide(
                                Self.cause("pay-\(index)-\(round)"), actor: leaf.agent, correlation: "t",
                                SpendingRules.authorize(Spending(amount, purpose: "payment"), under: leaf.mandate, seconds: 900))
                            if outcome != nil { sum += units }
                        }
                        return sum
                    }
                }
                var total = 0
                for await sum in group { total += sum }
                return total
            }
            let events = try await log.read(from: 0, limit: 1_000, wait: nil).events
            let onLog = try events.map { try Fact($0) }.filter { $0.type == MandateAuthorized.type }
                .reduce(Int128(0)) { $0 + (try MandateAuthorized($1.data.object()).amount.units) }
            #expect(onLog == Int128(accepted))
            #expect(onLog <= Int128(Self.budget) && onLog > Int128(Self.budget - 100 - 11))
            // Whoever folds the log has the same figures.
            var state = EconomyState()
            for event in events {
                let fact = try Fact(event)
                if EconomyState.concerns(fact.type) { try state.apply(fact) }
            }
            let free = try #require(state.mandates[root]).free(in: 0)
            #expect(free >= 0)
            let folded = try await makers[1].query { $0.mandates[root]?.free(in: 0) }
            #expect(folded == free)
        }
    }
}
