import AgentGatewayDomain
import Crypto
import Events
import HTTP
import HTTPClient
import JSON
import Money
import ServiceTestSupport
import Testing
import TestSupport
import Web

@testable import AgentGatewayService

@Suite struct LimitTests {
    @Test func aBucketHoldsItsLimitAndRefillsEvenly() {
        var meter = RateMeter()
        let start = ContinuousClock.now
        for _ in 0..<10 { #expect(meter.take(1, of: 10, at: start) == nil) }
        #expect(meter.take(1, of: 10, at: start) == .seconds(6) && meter.left(of: 10, at: start) == 0)
        #expect(meter.take(1, of: 10, at: start + .seconds(5)) == .seconds(1))
        #expect(meter.take(1, of: 10, at: start + .seconds(6)) == nil)
        meter.giveBack(4, of: 10)
        #expect(meter.left(of: 10, at: start + .seconds(6)) == 4)
        #expect(meter.isEmpty(at: start + .seconds(200)) && !meter.isEmpty(at: start + .seconds(6)))
        #expect(meter.take(11, of: 10, at: start + .seconds(200)) == .seconds(60))
    }

    /// In no minute is more taken than twice the limit, and over a long time never more than the rate.
    @Test func aBucketNeverGivesMoreThanItsRate() {
        var random = Seed.generator()
        for _ in 0..<20 {
            let limit = Int128(Int.random(in: 1...100, using: &random))
            var meter = RateMeter()
            let start = ContinuousClock.now
            var now = start
            var taken: Int128 = 0
            for _ in 0..<2_000 {
                now += .milliseconds(Int.random(in: 0...200, using: &random))
                let amount = Int128(Int.random(in: 1...10, using: &random))
                if meter.take(amount, of: limit, at: now) == nil { taken += amount }
            }
            let minutes = (now - start) / .seconds(60)
            #expect(Double(taken) <= Double(limit) * (minutes + 1) + 0.001, "seed \(random.seed)")
        }
    }

    /// What one comes to while another looks up what was used is seen: it is on its way or on the log.
    @Test func whatIsRecordedWhileAnotherLooksUpItsUsageCounts() async throws {
        let desk = LimitDesk()
        let money = try Amount(60, Asset("USDC/6"))
        func ask() throws -> LimitDesk.Ask {
            let limits = try KeyLimits(JSON.parse(Array(#"{"budget": {"asset": "USDC/6", "amount": "100"}}"#.utf8)).object())
            return LimitDesk.Ask(key: "key", limits: limits, tokens: 1, mostTokens: 1, money: money, day: 1, dayLeft: 60)
        }
        let first = try await desk.admit(try ask()) { KeyUsage() }
        await #expect(throws: Problem.self) {
            _ = try await desk.admit(try ask()) {
                // Read before the first was recorded, which then is not on its way any more.
                let usage = KeyUsage()
                first.finish(tokens: 1, money: money)
                return usage
            }
        }
        // Nothing of it came, and who was refused is not on its way either.
        _ = try await desk.admit(try ask()) { KeyUsage() }
    }

    /// A day's tokens are counted at the most that what is on its way can come to, and not by what a minute is asked for.
    @Test func aDaysTokensAreNotPassedByManyAtOnce() async throws {
        let desk = LimitDesk()
        let none = try Amount.zero(Asset("USDC/6"))
        func ask() throws -> LimitDesk.Ask {
            let limits = try KeyLimits(JSON.parse(Array(#"{"minute": {"tokens": 1000}, "day": {"tokens": 100}}"#.utf8)).object())
            return LimitDesk.Ask(key: "key", limits: limits, tokens: 20, mostTokens: 60, money: none, day: 1, dayLeft: 60)
        }
        let first = try await desk.admit(try ask()) { KeyUsage() }
        // Of both limits the day's is nearer.
        #expect(first.headers["x-ratelimit-limit-tokens"] == "100" && first.headers["x-ratelimit-remaining-tokens"] == "40")
        #expect(first.headers["x-ratelimit-reset-tokens"] == "1m0s")
        await #expect(throws: Problem.self) { _ = try await desk.admit(try ask()) { KeyUsage() } }
        first.finish(tokens: 30, money: none)
        _ = try await desk.admit(try ask()) { KeyUsage() }
    }

    @Test func sumsOfAnySizeAreMeasured() {
        var meter = RateMeter()
        let now = ContinuousClock.now
        #expect(meter.left(of: .max, at: now) == .max)
        #expect(meter.take(.max / 2, of: .max, at: now) == nil)
        let left = meter.left(of: .max, at: now)
        #expect(left > .max / 2 - .max / 1_000 && left <= .max / 2 + 1)
        #expect(meter.take(.max / 2 + .max / 4, of: .max, at: now) != nil)
    }

    @Test func aMinutesTokensAreSetRightUpwardsToo() async throws {
        let start = ContinuousClock.now
        let desk = LimitDesk { start }
        func ask(_ tokens: Int) throws -> LimitDesk.Ask {
            let limits = try KeyLimits(JSON.parse(Array(#"{"minute": {"tokens": 100}}"#.utf8)).object())
            return LimitDesk.Ask(
                key: "key", limits: limits, tokens: tokens, mostTokens: tokens, money: try .zero(Asset("USDC/6")), day: 1, dayLeft: 60)
        }
        let none = try Amount.zero(Asset("USDC/6"))
        try await desk.admit(try ask(10)) { KeyUsage() }.finish(tokens: 95, money: none)
        await #expect(throws: Problem.self) { _ = try await desk.admit(try ask(10)) { KeyUsage() } }
        try await desk.admit(try ask(5)) { KeyUsage() }.finish(tokens: 0, money: none)
        _ = try await desk.admit(try ask(5)) { KeyUsage() }
    }

    private func key(_ gateway: GatewayHouse, _ limits: JSONValue) async throws -> String {
        let owner = try gateway.house.token("ann", scopes: ["keys:write", "inferences:write", "inferences:read"])
        let issued = try await gateway.call(
            "POST", "/v1/keys", token: owner, ["scopes": ["inferences:write", "keys:write"], "limits": limits])
        #expect(issued.json["limits"] == limits)
        return try #require(issued.json["secret"]?.stringValue)
    }

    private func withKeys(_ body: @Sendable (GatewayHouse) async throws -> Void) async throws {
        try await withGateway { gateway in
            // Keys are for principals that are known.
            try await gateway.append(
                PrincipalRegistered(principal: "ann", kind: "person", key: "did:key:ann"), by: .agentGateway, stream: "principal/ann")
            try await eventually("ann is known") {
                try await gateway.call("GET", "/v1/principals/ann", token: try gateway.person()).status == 200
            }
            try await body(gateway)
        }
    }

    @Test func aKeyAsksNoMoreThanItsLimitAMinuteAndIsToldHowMuchIsLeft() async throws {
        try await withKeys { gateway in
            let secret = try await key(gateway, ["minute": ["requests": 2, "tokens": 10_000]])
            gateway.standIns.answer(["Yes"], input: 5, output: 1)
            for left in ["1", "0"] {
                let response = try await gateway.house.transport.send(
                    gateway.request("POST", "/v1/chat/completions", token: secret, gateway.chat()))
                #expect(response.status == 200 && response.headers["x-ratelimit-limit-requests"] == "2")
                #expect(response.headers["x-ratelimit-remaining-requests"] == left)
                #expect(response.headers["x-ratelimit-reset-requests"]?.isEmpty == false)
                #expect(response.headers["x-ratelimit-limit-tokens"] == "10000")
                _ = try await response.body.collect(upTo: 1 << 20)
            }
            let response = try await gateway.house.transport.send(
                gateway.request("POST", "/v1/chat/completions", token: secret, gateway.chat()))
            let error = try JSON.parse(try await response.body.collect(upTo: 1 << 20))["error"]
            #expect(response.status == 429 && error?["code"] == "rate_limit_exceeded" && error?["type"] == "rate_limit_error")
            let wait = try #require(response.headers["Retry-After"].flatMap { Int($0) })
            #expect((1...30).contains(wait))
            #expect(gateway.standIns.holds.count == 2 && gateway.standIns.asked.count == 2)
            // Who asks with another credential is not limited, and a key with limits makes no key without.
            #expect(try await gateway.ask(try gateway.person()).status == 200)
            #expect(try await gateway.call("POST", "/v1/keys", token: secret, ["scopes": ["inferences:write"]]).status == 403)
        }
    }

    @Test func aKeysBudgetIsSpentToTheLastUnitAndNeverPassed() async throws {
        try await withKeys { gateway in
            // An answer costs 10 + 5 + 2, and could cost up to 102.
            let secret = try await key(gateway, ["budget": ["asset": "USDC/6", "amount": "140"]])
            gateway.standIns.answer(["Yes"], input: 5, output: 1)
            for _ in 0..<3 { #expect(try await gateway.ask(secret).status == 200) }
            let fourth = try await gateway.ask(secret)
            #expect(fourth.status == 402 && fourth.code == "insufficient_quota")
            #expect(try await gateway.ask(secret, [("max_tokens", 5)]).status == 200)
            #expect(gateway.standIns.holds.count == 4)
            let spent = try await gateway.completed().reduce(Int128(0)) { $0 + $1.fee.units }
            let listed = try await gateway.call("GET", "/v1/keys", token: secret)
            #expect(listed.json["items"]?.arrayValue?.first?["spent"] == [["amount": .string("\(spent)"), "asset": "USDC/6"]])
        }
    }

    @Test func manyAtOnceDoNotPassABudget() async throws {
        try await withKeys { gateway in
            let secret = try await key(gateway, ["budget": ["asset": "USDC/6", "amount": "300"]])
            gateway.standIns.answer(["Yes"], input: 5, output: 1)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 { group.addTask { try await gateway.ask(secret).status } }
                var statuses: [Int] = []
                for try await status in group { statuses.append(status) }
                return statuses
            }
            #expect(statuses.contains(200) && statuses.contains(402) && statuses.allSatisfy { [200, 402].contains($0) })
            #expect(try await gateway.completed().reduce(Int128(0)) { $0 + $1.fee.units } <= 300)
        }
    }

    @Test func aDaysLimitIsCountedByTheLog() async throws {
        try await withKeys { gateway in
            let secret = try await key(gateway, ["day": ["requests": 1]])
            gateway.standIns.answer(["Yes"])
            let first = try await gateway.ask(secret)
            #expect(first.status == 200)
            let second = try await gateway.ask(secret)
            #expect(second.status == 429 && second.code == "rate_limit_exceeded")
            let third = try await gateway.house.transport.send(
                gateway.request("POST", "/v1/chat/completions", token: secret, gateway.chat()))
            #expect(third.headers["x-ratelimit-limit-requests"] == "1" && third.headers["x-ratelimit-remaining-requests"] == "0")
            #expect(third.headers["Retry-After"] != nil)
            _ = try await third.body.collect(upTo: 1 << 20)
        }
    }

    @Test func whileAttributionIsFarBehindNoNewAnswerIsTaken() async throws {
        try await withGateway(settings: ["OPENLEDGER_ATTRIBUTION_LAG": "1"]) { gateway in
            let token = try gateway.person()
            for _ in 0..<2 {
                gateway.standIns.answer(["Yes."])
                try #require(try await gateway.ask(token).status == 200)
            }
            // How far behind it is, is looked up once a second.
            try await eventually("it is refused") {
                gateway.standIns.answer(["Yes."])
                return try await gateway.ask(token).status == 503
            }
            let refused = try await gateway.house.transport.send(
                gateway.request("POST", "/v1/chat/completions", token: token, gateway.chat()))
            #expect(refused.status == 503 && refused.headers["Retry-After"] == "10")
            for inference in try await gateway.completed().map(\.inference) {
                let attribution = AttributionComputed(
                    attribution: "at_" + inference, inference: inference, model: "acme/defi", version: 1, rules: "attribution/3",
                    methods: [],
                    fallback: true, shares: .entries([]), evidence: .zero, missing: [])
                try await gateway.append(attribution, by: .attribution, stream: "attribution/at_" + inference)
            }
            try await eventually("answers are taken again") {
                gateway.standIns.answer(["Yes."])
                return try await gateway.ask(token).status == 200
            }
        }
    }

    /// A request may have 4 MiB and be 32 deep, so what is kept of it may be a little more.
    @Test func whateverARequestMaySayCanBeReadAgain() throws {
        let long: JSONValue = [["role": "user", "content": .string(String(repeating: "what moves the pool? ", count: 180_000))]]
        let many = JSONValue.array([JSONValue](repeating: ["role": "user", "content": "x"], count: 60_000))
        var deep: JSONValue = "x"
        for _ in 0..<40 { deep = ["content": deep] }
        for prompt in [long, many, deep] { #expect(try InferenceContents.prompt(JSON.write(prompt)) == prompt) }
    }
}
