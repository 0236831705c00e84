import BillingDomain
import BillingService
import Crypto
import EventLog
import Events
import HTTP
import HTTPClient
import JSON
import LedgerService
import Money
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing

@Suite("The billing service on a real ledger")
struct ServiceTests {
    @Test("fees reach those who earned them, once, and balances, statements and proofs say so")
    func wholeWay() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await desk.publishModel()
            for index in 0..<20 { try await desk.answer("inf_\(index)", payer: "pia", fee: 100_003) }
            try await eventually("all is settled") { try await desk.balance("payer:pia") == 10_000_000 - 20 * 100_003 }
            try await eventually("the shares are pending") {
                try await desk.pending("datanet:dn_1") == 20 * 14_251
            }

            // The same attribution on the log again is refused by the ledger; a restarted service settles nothing twice.
            let before = try await desk.house.ledger.client(for: .billing).read(
                stream: try #require(Decision.stream), from: 0, limit: 1_000)
            let settled = before.filter { (try? EventHeader(trusted: $0.bytes).type) == SettlementPosted.type }
            #expect(settled.count == 20)
            try await eventually("the read model has all of it") {
                try await desk.get("/v1/statements?account=payer:pia&asset=USDC/6&limit=1000")["items"]?.arrayValue?.count == 21
            }
            let answer = try await desk.get("/v1/accounts/payer:pia/balance?asset=USDC/6&position=\(settled[9].position)")
            let asOf = try #require(answer["balance"]?["amount"]?.stringValue.flatMap { Int($0) })
            #expect(asOf >= 10_000_000 - 20 * 100_003 && asOf <= 10_000_000 - 10 * 100_003)
            let statement = try await desk.get("/v1/statements?account=payer:pia&asset=USDC/6&limit=1000")
            let lines = try #require(statement["items"]?.arrayValue)
            #expect(lines.count == 21)
            #expect(lines.last?["balance"]?["amount"]?.stringValue == "7999940")
            let csv = try await desk.raw("GET", "/v1/statements?account=payer:pia&asset=USDC/6&format=csv&limit=1000", nil, key: nil)
            #expect(csv.status == 200)
            #expect(String(decoding: csv.body, as: UTF8.self).split(separator: "\r\n").count == 22)
        }
    }

    @Test("whoever names the position of what they wrote reads it")
    func ownWrites() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 1)
            for index in 1...10 {
                let body: JSONValue = [
                    "amount": ["asset": "USDC/6", "amount": "1"], "rail": "bank", "reference": .string("own-\(index)"),
                ]
                let made = try await desk.raw("POST", "/v1/accounts/payer:pia/deposits", body, key: "own-\(index)")
                let position = try #require(try JSON.parse(made.body)["events"]?.arrayValue?.last?["position"]?.intValue)
                // At once, so that the rows are hardly ever there yet.
                let read = try await desk.raw(
                    "GET", "/v1/statements?account=payer:pia&asset=USDC/6&limit=1000", nil, key: nil, after: String(position))
                #expect(try JSON.parse(read.body)["items"]?.arrayValue?.count == index + 1)
                let invoice = try await desk.raw(
                    "GET", "/v1/accounts/payer:pia/balance?asset=USDC/6&position=\(position)", nil, key: nil, after: String(position))
                #expect(try JSON.parse(invoice.body)["balance"]?["amount"]?.stringValue == String(index + 1))
            }
            for path in ["/v1/statements?account=payer:pia&asset=USDC/6", "/v1/accounts/payer:pia", "/v1/epochs?asset=USDC/6"] {
                #expect(try await desk.raw("GET", path, nil, key: nil, after: "here").status == 400, "\(path)")
            }
            #expect(try await desk.raw("GET", "/v1/accounts/payer:pia", nil, key: nil, after: "1000000").status == 503)
        }
    }

    @Test("the same key gets the same events, another body under it is refused, and errors name what is wrong")
    func commands() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 1_000)
            let hold: JSONValue = ["account": "payer:pia", "amount": ["asset": "USDC/6", "amount": "600"], "seconds": 60]
            let first = try await desk.raw("POST", "/v1/holds", hold, key: "hold-1")
            let again = try await desk.raw("POST", "/v1/holds", hold, key: "hold-1")
            #expect(first.status == 200)
            #expect(first.body == again.body)
            let other: JSONValue = ["account": "payer:pia", "amount": ["asset": "USDC/6", "amount": "601"], "seconds": 60]
            #expect(try await desk.raw("POST", "/v1/holds", other, key: "hold-1").status == 422)
            let second = try await desk.raw("POST", "/v1/holds", hold, key: "hold-2")
            #expect(second.status == 402)
            #expect(String(decoding: second.body, as: UTF8.self).contains("0.0004 USDC available"))
            let id = try #require(try JSON.parse(first.body)["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue)
            let capture: JSONValue = ["reference": "inf_1", "amount": ["asset": "USDC/6", "amount": "250"]]
            #expect(try await desk.raw("POST", "/v1/holds/\(id)/capture", capture, key: "cap-1").status == 200)
            #expect(try await desk.raw("POST", "/v1/holds/\(id)/capture", capture, key: "cap-2").status == 404)
            #expect(try await desk.balance("payer:pia") == 750)
            for (body, status) in [
                (#"{"account":"payer:pia","amount":{"asset":"USDC/6","amount":"1.5"},"seconds":60}"#, 400),
                (#"{"account":"payer:pia","amount":{"asset":"USDC/6","amount":"-5"},"seconds":60}"#, 422),
                (#"{"account":"payer:pia","amount":{"asset":"EUR/2","amount":"5"},"seconds":60}"#, 404),
                (#"{"account":"payer:nobody","amount":{"asset":"USDC/6","amount":"5"},"seconds":60}"#, 404),
                (#"{"account":"escrow:fees","amount":{"asset":"USDC/6","amount":"5"},"seconds":60}"#, 422),
                (#"{"account":"payer:pia","amount":{"asset":"USDC/6","amount":"5"},"seconds":60,"secnods":1}"#, 400),
            ] {
                let reply = try await desk.raw("POST", "/v1/holds", try JSON.parse(body), key: "bad-\(SHA256.hash(utf8: body).hex)")
                #expect(reply.status == status, "\(body): \(String(decoding: reply.body, as: UTF8.self))")
            }
        }
    }

    @Test("nobody without the scope moves money, and nobody reads another's account")
    func access() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 1_000)
            let mallory = try desk.house.token("mallory")
            let deposit: JSONValue = ["amount": ["asset": "USDC/6", "amount": "5"], "rail": "bank", "reference": "m"]
            #expect(try await desk.raw("POST", "/v1/accounts/payer:pia/deposits", deposit, key: "m1", token: mallory).status == 403)
            let hold: JSONValue = ["account": "payer:pia", "amount": ["asset": "USDC/6", "amount": "5"], "seconds": 60]
            #expect(try await desk.raw("POST", "/v1/holds", hold, key: "m2", token: mallory).status == 403)
            #expect(try await desk.raw("GET", "/v1/accounts/payer:pia", nil, key: nil, token: mallory).status == 403)
            #expect(try await desk.raw("GET", "/v1/accounts/payer:pia", nil, key: nil, token: "none").status == 401)
            let pia = try desk.house.token("pia")
            #expect(try await desk.raw("GET", "/v1/accounts/payer:pia", nil, key: nil, token: pia).status == 200)
        }
    }

    @Test("a second instance started by mistake spends nothing twice")
    func twoInstances() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 1_000)
            let other = try await BillingService.open(try desk.house.context(.billing))
            let running = Task { await other.run() }
            defer { running.cancel() }
            let mine = try await desk.mountBoth(other)
            let hold: JSONValue = ["account": "payer:pia", "amount": ["asset": "USDC/6", "amount": "100"], "seconds": 60]
            let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<40 {
                    group.addTask { try await desk.raw("POST", (index % 2 == 0 ? "" : mine) + "/v1/holds", hold, key: "h-\(index)").status }
                }
                var accepted = 0
                for try await status in group where status == 200 { accepted += 1 }
                return accepted
            }
            #expect(accepted == 10)
        }
    }
}
