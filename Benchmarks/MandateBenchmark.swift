import AgentEconomyDomain
import Crypto
import Decisions
import EventLog
import Events
import Foundation
import JSON
import LedgerService
import Money
import PrivatePostgres
import Telemetry

/// A thousand agents on the leaves of a three-level tree of mandates spend one budget at once, each payment authorised and durable on a real
/// ledger before it is answered. The budget is smaller than what they ask for: at the end it is spent to the last unit that fits.
enum MandateBenchmark {
    static func run(_ options: BenchOptions, _ cluster: PrivateCluster) async throws {
        let bench = try await LogBench.start(cluster, database: "bench_mandates")
        let agents = options.callers.first ?? 1_000
        print("payments authorised under one budget by \(agents) agents on three levels (median of \(options.rounds))")
        var rounds: [Figures] = []
        for round in 0..<options.rounds {
            rounds.append(try await once(bench, agents: agents, payments: agents * 20 * options.seconds, tag: "m\(round)"))
        }
        let ours = median(rounds)
        row(
            "authorised payments", thousands(ours.perSecond), "p50 " + micro(ours.percentile(0.5)), "p99 " + micro(ours.percentile(0.99)),
            micro(ours.cpu / Double(ours.count)) + " CPU")
        await bench.stop()
        try await SignatureBenchmark.run(rounds: options.rounds)
    }

    private static func once(_ bench: LogBench, agents: Int, payments: Int, tag: String) async throws -> Figures {
        let log = bench.ledger.client(for: .agentGateway)
        let maker = DecisionMaker(.agentGateway, log: log, clock: { LogBench.moment }) { EconomyState() }
        let running = Task { await maker.run() }
        defer { running.cancel() }
        let names = (0..<agents).map { "\(tag)-a\($0)" }
        for start in stride(from: 0, to: agents, by: 500) {
            let events = try names[start..<min(start + 500, agents)].enumerated().map { ordinal, name in
                try registered(name, command: "\(tag)-register-\(start)", ordinal: ordinal)
            }
            _ = try await log.append(AppendRequest(events: events))
        }
        let asset = try Asset("USDC/6")
        let middles = max(1, agents / 40)
        // 7 of 8 payments fit; the rest are refused.
        let budget = Int128(payments) * 7 / 8 * 5
        func grant(_ grantor: String, _ agent: String, _ parent: String?) async throws -> String {
            let terms = MandateTerms(budget: Amount(budget, asset), period: "once", expires: .maximum, carved: false)
            let outcome = try await maker.decide(
                cause("\(tag)-grant-\(agent)-\(parent ?? "")"), actor: grantor, correlation: "bench",
                GrantRules.grant(.init(agent: agent, parent: parent, terms: terms)))
            return try outcome.first(MandateGranted.self).mandate
        }
        let root = try await grant("owner", names[0], nil)
        var branches: [String] = []
        for index in 0..<middles { branches.append(try await grant(names[0], names[1 + index % (agents - 1)], root)) }
        var leaves: [(agent: String, mandate: String)] = []
        for index in 0..<agents {
            let branch = index % middles
            let holder = names[1 + branch % (agents - 1)]
            guard names[index] != holder, index != 0 else { continue }
            leaves.append((names[index], try await grant(holder, names[index], branches[branch])))
        }
        let spenders = leaves
        let accepted = Tally()
        let figures = try await load(callers: spenders.count, count: payments) { index in
            let spender = spenders[index % spenders.count]
            do {
                _ = try await maker.decide(
                    cause("\(tag)-pay-\(index)"), actor: spender.agent, correlation: "bench",
                    SpendingRules.authorize(Spending(Amount(5, asset), purpose: "payment"), under: spender.mandate, seconds: 900))
                await accepted.add(5)
            } catch EconomyError.exceeds { await accepted.refuse() }
        }
        let (spent, refused) = await (accepted.units, accepted.refused)
        let free = try await maker.query { $0.mandates[root]?.free(in: 0) ?? -1 }
        guard Int128(spent) + free == budget, free >= 0, free < 5, refused > 0 else {
            throw BenchmarkError("of a budget of \(budget), \(spent) were spent and \(free) are free")
        }
        // What was refused was decided as well, but paid nothing.
        var paid = figures
        paid.count = spent / 5
        print("  \(spent / 5) authorised, \(refused) refused, \(free) of \(budget) left: \(thousands(paid.perSecond))")
        return paid
    }

    private static func cause(_ name: String) -> Cause { .command(id: name, digest: .zero) }

    private static func registered(_ name: String, command: String, ordinal: Int) throws -> [UInt8] {
        guard let stream = StreamName(kind: "principal", id: name) else { throw BenchmarkError("no name") }
        return try Event(
            type: PrincipalRegistered.type, stream: stream, time: LogBench.moment, actor: "bench", cause: cause(command), ordinal: ordinal,
            correlation: "bench", data: PrincipalRegistered(principal: name, kind: "agent", key: "did:" + name, owner: "owner").json
        ).encoded()
    }

    private actor Tally {
        var units = 0
        var refused = 0
        func add(_ more: Int) { units += more }
        func refuse() { refused += 1 }
    }
}
