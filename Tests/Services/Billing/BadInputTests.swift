import BillingDomain
import Crypto
import EventLog
import Events
import JSON
import LedgerService
import ServiceTestSupport
import TestSupport
import Testing

@Suite("Bad input over HTTP")
struct BadInputTests {
    /// A request that is refused, with which status and code, and what the refusal says.
    private struct Row {
        let what: String
        let path: String
        let body: JSONValue
        let status: Int
        let code: String
        let says: String

        init(_ what: String, _ path: String, _ body: JSONValue, _ status: Int, _ code: String, _ says: String = "") {
            self.what = what
            self.path = path
            self.body = body
            self.status = status
            self.code = code
            self.says = says
        }
    }

    private static func money(_ units: String, _ asset: String = "USDC/6") -> JSONValue {
        ["asset": .string(asset), "amount": .string(units)]
    }

    private static func hold(_ amount: JSONValue, _ account: String = "payer:pia", seconds: Int = 60) -> JSONValue {
        ["account": .string(account), "amount": amount, "seconds": .count(seconds)]
    }

    private static func deposit(_ amount: JSONValue) -> JSONValue { ["amount": amount, "rail": "bank", "reference": "bad"] }

    private static func transfer(_ entries: [(String, JSONValue)]) -> JSONValue {
        ["postings": .array(entries.map { ["account": .string($0.0), "amount": $0.1] }), "reason": "test"]
    }

    private static func rules(platform: Int, owner: Int = 0, datanets: Int = 2_000) -> JSONValue {
        [
            "platform_points": .count(platform), "platform": "platform:house",
            "training": [
                "owner": .count(owner), "datanets": .count(datanets), "contributors": 5_000, "validators": 500, "compute": 2_500,
            ],
            "holdback_seconds": 0, "dispute_bond": 1_000, "unbond_seconds": 1, "dust": 1,
        ]
    }

    /// Amounts, assets, accounts and splits that are none; each before anything is booked.
    private static let amounts: [Row] = {
        let most = String(Int128.max), deposits = "/v1/accounts/payer:pia/deposits"
        return [
            Row("a negative hold", "/v1/holds", hold(money("-5")), 422, "not-positive", "must be above zero"),
            Row("a hold of nothing", "/v1/holds", hold(money("0")), 422, "not-positive"),
            Row("a fractional hold", "/v1/holds", hold(money("1.5")), 400, "bad-body", "/amount/amount"),
            Row("an amount with an exponent", "/v1/holds", hold(money("1e3")), 400, "bad-body", "/amount/amount"),
            Row("an amount as a number", "/v1/holds", hold(["asset": "USDC/6", "amount": 5]), 400, "bad-body", "/amount/amount"),
            Row("an amount beyond 128 bits", "/v1/holds", hold(money(most + "0")), 400, "bad-body", "/amount/amount"),
            Row("more than there is", "/v1/holds", hold(money(most)), 402, "insufficient-funds", "available"),
            Row("another asset", "/v1/holds", hold(money("5", "GBP/2")), 404, "unknown-account", "payer:pia in GBP/2"),
            Row("an asset that is none", "/v1/holds", hold(money("5", "usd")), 400, "bad-body", "/amount/asset"),
            Row("an unknown account", "/v1/holds", hold(money("5"), "payer:nobody"), 404, "unknown-account", "open it first"),
            Row("an account of no kind", "/v1/holds", hold(money("5"), "purse:pia"), 422, "wrong-account-kind"),
            Row("an account of the house", "/v1/holds", hold(money("5"), "escrow:fees"), 422, "wrong-account-kind"),
            Row("an account without a kind", "/v1/holds", hold(money("5"), "pia"), 400, "bad-body", "/account"),
            Row("no time", "/v1/holds", hold(money("5"), seconds: 0), 400, "bad-body", "/seconds"),
            Row("a negative deposit", deposits, deposit(money("-1")), 422, "not-positive"),
            Row("a deposit that overflows", deposits, deposit(money(most)), 422, "amount", "128 bits"),
            Row("a deposit in another asset", deposits, deposit(money("1", "GBP/2")), 404, "unknown-account"),
            Row(
                "a deposit for an unknown account", "/v1/accounts/payer:nobody/deposits", deposit(money("1")), 404, "unknown-account"),
            Row(
                "a transfer that does not add up", "/v1/accounts/transfers",
                transfer([("payer:pia", money("-5")), ("payer:vic", money("4"))]), 422, "unbalanced"),
            Row(
                "a transfer in two assets", "/v1/accounts/transfers",
                transfer([("payer:pia", money("-5")), ("payer:vic", money("5", "EUR/2"))]), 422, "unbalanced"),
            Row(
                "a transfer whose sums overflow", "/v1/accounts/transfers",
                transfer([("payer:pia", money(most)), ("payer:vic", money(most)), ("payer:pia", money("-1"))]), 422, "amount"),
            Row(
                "a transfer of more than there is", "/v1/accounts/transfers",
                transfer([("payer:pia", money("-9999999999")), ("payer:vic", money("9999999999"))]), 402, "insufficient-funds"),
            Row("an empty transfer", "/v1/accounts/transfers", transfer([]), 422, "invalid", "postings"),
            Row(
                "a platform's part of more than all", "/v1/settlements/rules", rules(platform: 10_001), 422, "amount", "10000"),
            Row(
                "a split that makes 9,999", "/v1/settlements/rules", rules(platform: 500, datanets: 1_999), 422, "amount",
                "10000"),
            Row(
                "a split that makes 10,001", "/v1/settlements/rules", rules(platform: 500, datanets: 2_001), 422, "amount",
                "10000"),
            Row(
                "a training that pays its payer", "/v1/settlements/rules", rules(platform: 500, owner: 1_000, datanets: 1_000), 422,
                "invalid", "training"),
            Row(
                "tiers that fall", "/v1/settlements/prices",
                [
                    "model": "m", "asset": "USDC/6",
                    "meters": [
                        [
                            "meter": "output-tokens", "per": 1_000,
                            "tiers": [["up_to": 100, "units": 2], ["up_to": 50, "units": 1], ["units": 1]],
                        ]
                    ],
                ], 422, "invalid", "rise"),
            Row("an unknown hold", "/v1/holds/hd_none/capture", ["reference": "r", "amount": money("1")], 404, "billing-not-found"),
            Row("an unknown settlement", "/v1/settlements/none/refunds", ["amount": money("1"), "reason": "r"], 404, "billing-not-found"),
            Row("an epoch that owes nothing", "/v1/epochs", ["asset": "USDC/6"], 404, "billing-not-found"),
            Row(
                "a claim in an asset without epochs", "/v1/claims",
                ["address": .string(WalletKey.address(1)), "cumulative": money("5"), "transaction": "t"], 404, "billing-not-found"),
            Row(
                "a stake of more than there is", "/v1/stakes",
                ["pool": "dn_1", "account": "payer:pia", "amount": money("9999999999")], 402, "insufficient-funds"),
            Row(
                "unbonding what is not bonded", "/v1/stakes/unbond", ["pool": "dn_1", "account": "payer:pia", "amount": money("5")], 422,
                "beyond"),
            Row(
                "a payout below zero", "/v1/accounts/payer:pia/payouts",
                ["amount": money("-5"), "rail": "bank", "destination": .digest(.zero)], 422, "not-positive"),
        ]
    }()

    private func check(_ rows: [Row], _ desk: Desk) async throws {
        for row in rows {
            let size = try await desk.house.ledger.client(for: .billing).read(from: 0, limit: 1, wait: nil).size
            let reply = try await desk.raw("POST", row.path, row.body, key: "bad-" + SHA256.hash(utf8: row.what).hex)
            let text = String(decoding: reply.body, as: UTF8.self)
            #expect(reply.status == row.status, "\(row.what): \(text)")
            #expect(try JSON.parse(reply.body)["type"]?.stringValue == "/problems/" + row.code, "\(row.what): \(text)")
            #expect(text.contains(row.says), "\(row.what): \(text)")
            let next = try await desk.house.ledger.client(for: .billing).read(from: 0, limit: 1, wait: nil).size
            #expect(next == size, "\(row.what) left something on the log")
        }
    }

    @Test("amounts, assets, accounts and splits that are none: each gets its error and leaves nothing")
    func amounts() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 1_000)
            try await desk.open("payer:vic", deposit: 1_000)
            try await desk.post("/v1/accounts", ["account": "payer:vic", "asset": "EUR/2"], key: "euro")
            try await check(Self.amounts, desk)
        }
    }

    @Test("holds, refunds and disputes that come too late or ask for too much: each gets its error and leaves nothing")
    func late() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await desk.publishModel()
            try await desk.answer("inf_1", payer: "pia", fee: 100_003)
            let open = try await settlement(desk, 0)
            let half = try await desk.raw("POST", "/v1/holds", Self.hold(Self.money("100")), key: "half")
            let hold = try #require(try JSON.parse(half.body)["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue)
            let short = try await desk.raw("POST", "/v1/holds", Self.hold(Self.money("100"), seconds: 1), key: "short")
            let expired = try #require(try JSON.parse(short.body)["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue)
            try await eventually("the hold is free") { try await desk.raw("GET", "/v1/holds/" + expired, nil, key: nil).status == 404 }
            let one: JSONValue = ["reference": "r", "amount": Self.money("1")]
            try await check(
                [
                    Row("more than a hold", "/v1/holds/\(hold)/capture", ["reference": "r", "amount": Self.money("101")], 422, "beyond"),
                    Row(
                        "another asset", "/v1/holds/\(hold)/capture", ["reference": "r", "amount": Self.money("1", "EUR/2")], 422,
                        "wrong-asset"),
                    Row("an expired hold", "/v1/holds/\(expired)/capture", one, 410, "hold-expired", "place a new one"),
                    Row("the release of an expired hold", "/v1/holds/\(expired)/release", .object(JSONObject()), 410, "hold-expired"),
                    Row(
                        "a refund above the fee", "/v1/settlements/\(open)/refunds", ["amount": Self.money("100004"), "reason": "r"], 422,
                        "beyond", "0.100003 USDC are left"),
                    Row(
                        "a refund in another asset", "/v1/settlements/\(open)/refunds",
                        ["amount": Self.money("1", "EUR/2"), "reason": "r"], 422, "wrong-asset"),
                    Row(
                        "a refund below zero", "/v1/settlements/\(open)/refunds", ["amount": Self.money("-1"), "reason": "r"], 422,
                        "not-positive"),
                ], desk)
            let dispute: JSONValue = [
                "settlement": .string(open), "account": "payer:pia", "reason": "wrong", "evidence": .digest(.zero),
            ]
            try await desk.post("/v1/disputes", dispute, key: "dispute")
            try await check(
                [
                    Row("a second dispute", "/v1/disputes", dispute, 409, "in-the-way", "already"),
                    Row(
                        "a refund of what is disputed", "/v1/settlements/\(open)/refunds", ["amount": Self.money("1"), "reason": "r"], 409,
                        "in-the-way"),
                ], desk)
            // Without a holdback the window is over at once.
            try await desk.post("/v1/settlements/rules", EpochTests.rules, key: "rules")
            try await desk.answer("inf_2", payer: "pia", fee: 100_003)
            let over = try await settlement(desk, 1)
            try await eventually("it is released") { try await desk.raw("GET", "/v1/settlements/" + over, nil, key: nil).status == 404 }
            try await check(
                [
                    Row(
                        "a dispute after the window", "/v1/disputes",
                        ["settlement": .string(over), "account": "payer:pia", "reason": "late", "evidence": .digest(.zero)], 410,
                        "window-over", "can no longer be disputed"),
                    Row(
                        "a refund after the window", "/v1/settlements/\(over)/refunds", ["amount": Self.money("1"), "reason": "r"], 410,
                        "window-over"),
                ], desk)
        }
    }

    /// The nth settlement on the log, once it is there.
    private func settlement(_ desk: Desk, _ number: Int) async throws -> String {
        let stream = try #require(Decision.stream)
        func settled() async throws -> [LoggedEvent] {
            try await desk.house.ledger.client(for: .billing).read(stream: stream, from: 0, limit: 1_000)
                .filter { try EventHeader(trusted: $0.bytes).type == SettlementPosted.type }
        }
        try await eventually("settlement number \(number)", timeout: .seconds(60)) { try await settled().count > number }
        let event = try await settled()[number]
        return try SettlementPosted(JSON.parse(Array(event.bytes[try EventHeader(trusted: event.bytes).data])).object()).id
    }
}
