import BillingService
import Crypto
import Events
import Foundation
import HTTP
import HTTPClient
import JSON
import Money
import ServiceShell
import ServiceTestSupport
import Testing
import TestSupport

@testable import AgentGatewayService

@Suite struct FaultyLoadTests {
    private static let requests = 300
    private static let deposit = 10_000_000

    /// Real billing, two backends that fail in every way, callers who leave at any moment: afterwards each answer on the log is paid
    /// exactly once, everything else is free again, and nothing is left held.
    @Test(.timeLimit(.minutes(5))) func afterAFaultyLoadTheMoneyIsExact() async throws {
        let stubs = [StubBackend("one"), StubBackend("two")]
        for stub in stubs { stub.behave(by: Self.behaviour) }
        let folder = try TemporaryFolder("load")
        let settings = try Self.settings(stubs, folder.path)
        try await withServiceHouse { house in
            let gateway = GatewayHouse(house)
            let service = try await AgentGatewayService.open(house.context(.agentGateway).with(settings))
            let billing = try await BillingService.open(house.context(.billing))
            try house.mount(
                [service.mount, billing.mount] + stubs.map(\.mount), grants: [AgentGatewayService.grants, BillingService.grants],
                keys: service.apiKeys)
            let running = [Task { await service.run() }, Task { await billing.run() }]
            do {
                try await gateway.publish(try Terms.model())
                try await check(gateway)
            } catch {
                for task in running { task.cancel() }
                for task in running { await task.value }
                throw error
            }
            for task in running { task.cancel() }
            for task in running { await task.value }
        }
    }

    private func check(_ gateway: GatewayHouse) async throws {
        let root = try gateway.house.token("root", scopes: ["billing:admin", "billing:deposit", "billing:read"])
        for payer in ["ann", "bob"] {
            let opened = try await gateway.call(
                "POST", "/v1/accounts", token: root, ["account": .string("payer:\(payer)"), "asset": "USDC/6"])
            try #require(opened.status == 200)
            let deposited = try await gateway.call(
                "POST", "/v1/accounts/payer:\(payer)/deposits", token: root,
                [
                    "amount": ["asset": "USDC/6", "amount": .string("\(Self.deposit)")], "rail": "bank",
                    "reference": .string("ref-\(payer)"),
                ])
            try #require(deposited.status == 200)
        }
        var random = Seed.generator()
        let seed = random.seed
        var plans: [Plan] = []
        for number in 0..<Self.requests { plans.append(Plan(number, &random)) }
        let ended = try await run(plans, gateway)
        #expect(ended == Self.requests, "seed \(seed)")

        // Every answer that anybody heard to its end is on the log; each is paid in full, and nothing else is.
        try await eventually("all holds are gone, seed \(seed)", timeout: .seconds(60)) {
            let (held, paid, fees) = (try await held(gateway, root), try await paid(gateway, root), try await fees(gateway))
            return held == 0 && paid == fees
        }
        let answers = try await gateway.completed()
        #expect(Set(answers.map(\.inference)).count == answers.count && answers.count > Self.requests / 3, "seed \(seed)")
        #expect(answers.allSatisfy { $0.outputTokens <= 20 && $0.fee.units <= 102 })
        for payer in ["ann", "bob"] {
            let own = answers.filter { $0.payer == payer }.reduce(0) { $0 + Int($1.fee.units) }
            #expect(try await figure("balance", "payer:\(payer)", gateway, root) == Self.deposit - own, "seed \(seed)")
        }
    }

    private func figure(_ name: String, _ account: String, _ gateway: GatewayHouse, _ root: String) async throws -> Int {
        let answer = try await gateway.call("GET", "/v1/accounts/\(account)", token: root)
        return answer.json["assets"]?.arrayValue?.first?[name]?["amount"]?.stringValue.flatMap { Int($0) } ?? -1
    }

    private func held(_ gateway: GatewayHouse, _ root: String) async throws -> Int {
        try await figure("held", "payer:ann", gateway, root) + figure("held", "payer:bob", gateway, root)
    }

    private func paid(_ gateway: GatewayHouse, _ root: String) async throws -> Int {
        let left = try await figure("balance", "payer:ann", gateway, root) + figure("balance", "payer:bob", gateway, root)
        return 2 * Self.deposit - left
    }

    private func fees(_ gateway: GatewayHouse) async throws -> Int {
        try await gateway.completed().reduce(0) { $0 + Int($1.fee.units) }
    }

    // MARK: The load

    /// What one request does.
    private struct Plan: Sendable {
        let number: Int
        let payer: String
        let behaviour: Int
        let streams: Bool
        /// After how many events of the stream the caller leaves; 0 before the answer's head.
        let leavesAfter: Int?

        init(_ number: Int, _ random: inout SeededGenerator) {
            self.number = number
            payer = random.chance(0.5) ? "ann" : "bob"
            behaviour = Int.random(in: 0..<20, using: &random)
            streams = random.chance(0.6)
            leavesAfter = random.chance(0.25) ? Int.random(in: 0...3, using: &random) : nil
        }
    }

    /// By the number that the prompt ends with.
    private static let behaviour: @Sendable (JSONValue) -> StubBackend.Behaviour = { body in
        let prompt = body["messages"]?.arrayValue?.last?["content"]?.stringValue ?? ""
        switch Int(prompt.split(separator: " ").last ?? "") ?? 0 {
        case 0..<9: return .answers
        case 9: return .lies(input: 1 << 40, output: 1 << 40)
        case 10: return .lies(input: -3, output: -9)
        case 11: return .forgetsUsage
        case 12: return .refuses(503)
        case 13: return .refuses(400)
        case 14: return .hangs
        case 15: return .hangsMidway(after: 3)
        case 16: return .breaksOff(after: 0)
        case 17: return .breaksOff(after: 4)
        case 18: return .nonsense(after: 2)
        default: return .babbles
        }
    }

    private func run(_ plans: [Plan], _ gateway: GatewayHouse) async throws -> Int {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var next = 0
            var ended = 0
            while ended < plans.count {
                while next < plans.count, next - ended < 24 {
                    let plan = plans[next]
                    group.addTask { try await ask(plan, gateway) }
                    next += 1
                }
                try await group.next()
                ended += 1
            }
            return ended
        }
    }

    private func ask(_ plan: Plan, _ gateway: GatewayHouse) async throws {
        let token = try gateway.person(plan.payer)
        let request = gateway.request(
            "POST", "/v1/chat/completions", token: token,
            gateway.chat([
                ("messages", [["role": "user", "content": .string("Number \(plan.number) does \(plan.behaviour)")]]),
                ("stream", .bool(plan.streams)),
            ]))
        let asking = Task {
            let response = try await gateway.house.transport.send(request)
            guard plan.streams, response.status == 200 else {
                let body = try await response.body.collect(upTo: 1 << 22)
                #expect([200, 400, 429, 502, 503].contains(response.status), "\(response.status)")
                #expect(response.status == 200 || (try? JSON.parse(body))?["error"]?["message"]?.stringValue != nil)
                return
            }
            var heard = 0
            for try await _ in ServerSentEvents(response.body) {
                heard += 1
                if let leave = plan.leavesAfter, heard >= max(1, leave) { return }
            }
        }
        if plan.leavesAfter == 0 {
            // In the midst of the hold, the queue, or the first words.
            for _ in 0..<(plan.number % 7) { await Task.yield() }
            asking.cancel()
        }
        // Whoever left hears nothing; for the others no error of the exchange is expected.
        let result = await asking.result
        if plan.leavesAfter == nil { try result.get() }
    }

    private static func settings(_ stubs: [StubBackend], _ folder: String) throws -> [String: String] {
        let path = folder + "/backends.json"
        let backends: [JSONValue] = stubs.map { stub in
            [
                "name": .string(stub.name), "kind": "runner", "url": .string("http://embedded/stub/\(stub.name)"), "concurrency": 6,
            ]
        }
        try JSON.write(["backends": .array(backends)]).withUnsafeBytes { bytes in
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
        return ["OPENLEDGER_BACKENDS": path, "OPENLEDGER_BACKEND_PATIENCE": "400ms"]
    }
}
