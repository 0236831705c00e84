import Blobs
import BillingDomain
import Crypto
import EventLog
import Events
import Foundation
import JSON
import LedgerService
import Money
import PrivatePostgres
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing

@Suite("What people are shown of their money")
struct PeopleTests {
    private func units(_ value: JSONValue?) -> Int? { value?["amount"]?.stringValue.flatMap { Int($0) } }

    /// Two models would make no difference to what is tested; a corrected and a refunded answer do.
    private func prepare(_ desk: Desk) async throws {
        try await desk.open("payer:pia", deposit: 10_000_000)
        try await desk.publishModel()
        for index in 0..<10 { try await desk.answer("inf_\(index)", payer: "pia", fee: 100_003) }
        try await eventually("all is settled") { try await desk.pending("datanet:dn_1") == 10 * 14_251 }
        try await desk.tell(
            AttributionCorrected(
                attribution: "at-inf_3", ruling: "ru_1",
                shares: .entries([AttributionShare(owner: "bob", datanet: "dn_1", share: 1_000_000_000)]), evidence: .zero),
            as: .attribution, stream: "attribution/at-inf_3")
        try await eventually("the correction is booked") {
            try await desk.pending("contributor:alice") == 9 * Self.alice
        }
    }

    /// What 60% of the shares of an answer for 100,003 are worth: of the Datanets' 8,550 and of the contributors' 28,501.
    static let alice = 5_130 + 17_101

    @Test("earnings add up to what is pending, by model and Datanet, and count corrections")
    func earnings() async throws {
        try await withBilling { desk in
            try await prepare(desk)
            try await eventually("the read models have seen it") {
                let found = try await desk.get("/v1/statements/earnings?account=contributor:alice&asset=USDC/6")
                return units(found["total"]) == 9 * Self.alice
            }
            for account in ["contributor:alice", "contributor:bob", "datanet:dn_1", "platform:house", "validator:vera"] {
                let pending = try await desk.pending(account)
                try await eventually("\(account) earned what is pending") {
                    let found = try await desk.get("/v1/statements/earnings?account=\(account)&asset=USDC/6")
                    let parts = try #require(found["by"]?.arrayValue)
                    return units(found["total"]) == pending && parts.compactMap { units($0["amount"]) }.reduce(0, +) == pending
                }
            }
            let alice = try await desk.get("/v1/statements/earnings?account=contributor:alice&asset=USDC/6")
            #expect(alice["by"]?.arrayValue?.first?["model"]?.stringValue == "acme/defi@1")
            #expect(alice["by"]?.arrayValue?.first?["datanet"]?.stringValue == "dn_1")
            let platform = try await desk.get("/v1/statements/earnings?account=platform:house&asset=USDC/6")
            #expect(platform["by"]?.arrayValue?.count == 1 && platform["by"]?.arrayValue?.first?["datanet"] == nil)
            let mallory = try desk.house.token("mallory")
            #expect(
                try await desk.raw("GET", "/v1/statements/earnings?account=contributor:alice&asset=USDC/6", nil, key: nil, token: mallory)
                    .status == 403)
        }
    }

    /// What attribution says of an answer: three words of alice's first item shared with bob, four of her second one, and a passage of bob's.
    private static let statement: JSONValue = [
        "computed": [
            "spans": [
                [
                    "paidTokens": 3,
                    "earners": [["owner": "alice", "item": "ct_1/0"], ["owner": "bob", "item": "ct_2/0"]],
                ],
                ["paidTokens": 4, "earners": [["owner": "alice", "item": "ct_1/7"]]],
                ["paidTokens": 0, "earners": [["owner": "alice", "item": "ct_1/9"]]],
            ],
            "passages": [["item": "ct_2/3", "owner": "bob", "isCited": true, "usedTokens": 6, "credit": 6]],
        ]
    ]

    @Test("earnings by item are divided by the words that each gave, add up, and follow a correction")
    func items() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await desk.publishModel()
            let store = try desk.house.context(.billing).openEvidence()
            let evidence = try await store.put(Self.statement)
            let book = try House()
            for id in ["inf_1", "inf_2"] {
                try await desk.tell(
                    try book.inference(id, payer: "pia", fee: 100_003, hold: nil), as: .agentGateway, stream: "inference/" + id)
                var attribution = try book.attribution(of: id, [("alice", 600_000_000), ("bob", 400_000_000)])
                // Of the second nobody kept what it was computed from.
                if id == "inf_1" { attribution.evidence = evidence.hash }
                try await desk.tell(attribution, as: .attribution, stream: "attribution/at-" + id)
            }
            func by(_ account: String) async throws -> [String: Int] {
                let found = try await desk.get("/v1/statements/earnings?account=\(account)&asset=USDC/6&by=item")
                let parts = found["by"]?.arrayValue ?? []
                #expect(units(found["total"]) == parts.compactMap { units($0["amount"]) }.reduce(0, +))
                return Dictionary(uniqueKeysWithValues: parts.map { ($0["item"]?.stringValue ?? "", units($0["amount"]) ?? 0) })
            }
            // 1.5 of 5.5 words, and 4 of them.
            let first = Self.alice * 3 / 11
            try await eventually("both answers are in the read models", timeout: .seconds(60)) {
                try await by("contributor:alice") == ["ct_1/0": first, "ct_1/7": Self.alice - first, "": Self.alice]
            }
            #expect(Set(try await by("contributor:bob").keys) == ["ct_2/0", "ct_2/3", ""])
            #expect(try await by("datanet:dn_1") == ["": 2 * 14_251])
            let corrected: JSONValue = [
                "computed": ["spans": [["paidTokens": 2, "earners": [["owner": "bob", "item": "ct_2/5"]]]]]
            ]
            try await desk.tell(
                AttributionCorrected(
                    attribution: "at-inf_1", ruling: "ru_1",
                    shares: .entries([AttributionShare(owner: "bob", datanet: "dn_1", share: 1_000_000_000)]),
                    evidence: try await store.put(corrected).hash), as: .attribution, stream: "attribution/at-inf_1")
            try await eventually("the correction is in the read models", timeout: .seconds(60)) {
                try await by("contributor:alice") == ["": Self.alice]
            }
            #expect(Set(try await by("contributor:bob").keys) == ["ct_2/5", ""])
        }
    }

    @Test("an invoice has what was charged by model, less refunds, as JSON, CSV and PDF")
    func invoices() async throws {
        try await withBilling { desk in
            try await prepare(desk)
            let path = "/v1/statements/invoices?account=payer:pia&asset=USDC/6"
            try await eventually("the read models have seen it") {
                try await desk.get(path)["lines"]?.arrayValue?.first?["count"]?.intValue == 10
            }
            let settled = try await desk.house.ledger.client(for: .billing).read(
                stream: try #require(Decision.stream), from: 0, limit: 1_000)
            let first = try #require(settled.first { (try? EventHeader(trusted: $0.bytes).type) == SettlementPosted.type })
            let id = try SettlementPosted(JSON.parse(Array(first.bytes[try EventHeader(trusted: first.bytes).data])).object()).id
            try await desk.post(
                "/v1/settlements/\(id)/refunds", ["amount": ["asset": "USDC/6", "amount": "100000"], "reason": "slow"], key: "refund-1")
            try await eventually("the refund is in it") { units(try await desk.get(path)["refunds"]) == 100_000 }
            // A bond that comes back is no refund.
            let last = try #require(settled.last { (try? EventHeader(trusted: $0.bytes).type) == SettlementPosted.type })
            let contested = try SettlementPosted(JSON.parse(Array(last.bytes[try EventHeader(trusted: last.bytes).data])).object()).id
            try await desk.post(
                "/v1/disputes",
                [
                    "settlement": .string(contested), "account": "payer:pia", "reason": "x",
                    "evidence": .string(SHA256.hash(utf8: "e").prefixed),
                ], key: "dispute")
            let opened = try await desk.house.ledger.client(for: .billing).read(
                stream: try #require(Decision.stream), from: 0, limit: 1_000)
            let bond = try #require(opened.last { (try? EventHeader(trusted: $0.bytes).type) == DisputeOpened.type })
            let dispute = try DisputeOpened(JSON.parse(Array(bond.bytes[try EventHeader(trusted: bond.bytes).data])).object()).id
            try await desk.tell(
                RulingMade(ruling: "ru_9", about: "dispute", subject: dispute, upheld: true, penalties: [], reason: nil, pool: nil),
                as: .datanet, stream: "ruling/ru_9")
            let back = 100_000 + 100_003
            try await eventually("the bond is back, and the fee") { try await desk.balance("payer:pia") == 10_000_000 - 1_000_030 + back }
            let end = try await desk.get("/v1/statements?account=payer:pia&asset=USDC/6&limit=1000")
            #expect(end["items"]?.arrayValue?.isEmpty == false)
            try await eventually("the resolution is in the rows") {
                try await desk.get("/v1/statements?account=payer:pia&asset=USDC/6&limit=1000")["items"]?.arrayValue?.last?["type"]?
                    .stringValue == "dispute.resolved"
            }
            try await eventually("both refunds are in it, and nothing else") { units(try await desk.get(path)["refunds"]) == back }
            let invoice = try await desk.get(path)
            #expect(
                units(invoice["fees"]) == 1_000_030 && units(invoice["total"]) == 1_000_030 - back
                    && units(invoice["deposits"]) == 10_000_000)
            let line = try #require(invoice["lines"]?.arrayValue?.first)
            #expect(line["what"]?.stringValue == "acme/defi@1" && line["input_tokens"]?.intValue == 100)
            let csv = try await desk.raw("GET", path + "&format=csv", nil, key: nil)
            #expect(String(decoding: csv.body, as: UTF8.self).contains("\"acme/defi@1\",10,100,200,1.00003,USDC/6\r\n"))
            let text = try await read(try await desk.raw("GET", path + "&format=pdf", nil, key: nil).body)
            #expect(text.contains("Invoice pia-USDC") && text.contains("0.800027"))
            let nothing = try await desk.get(path + "&from=2026-01-01T00:00:00.000000Z&to=2026-01-02T00:00:00.000000Z")
            #expect(units(nothing["total"]) == 0)
            #expect(try await desk.raw("GET", path.replacing("payer:pia", with: "platform:house"), nil, key: nil).status == 400)
        }
    }

    @Test("a statement is a PDF too, and each line leads to its answer, attribution and proof")
    func statements() async throws {
        try await withBilling { desk in
            try await prepare(desk)
            let path = "/v1/statements?account=payer:pia&asset=USDC/6&limit=1000"
            try await eventually("the read models have seen it") { try await desk.get(path)["items"]?.arrayValue?.count == 11 }
            let line = try #require(try await desk.get(path)["items"]?.arrayValue?.last)
            let reference = try #require(line["reference"]?.stringValue)
            #expect(line["links"]?["answer"]?.stringValue == "/v1/inferences/" + reference)
            #expect(line["links"]?["attribution"]?.stringValue == "/v1/attributions/" + reference)
            #expect(line["links"]?["proof"]?.stringValue == "/log/v1/events/\(line["position"]?.intValue ?? -1)/proof")
            let pdf = try await desk.raw("GET", path + "&format=pdf", nil, key: nil)
            #expect(pdf.status == 200)
            let text = try await read(pdf.body)
            #expect(text.contains("payer:pia") && text.contains("8.99997") && text.contains("settlement") == false)
        }
    }

    @Test("what became available leads to every answer that it pays, its attribution and its proof, and these add up to it")
    func releases() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await desk.publishModel()
            try await desk.post("/v1/settlements/rules", EpochTests.rules, key: "rules")
            try await desk.post("/v1/accounts/verified-owners", ["owner": "alice", "claim": "mail"], key: "v-alice")
            func lines(_ account: String, _ more: String = "") async throws -> [JSONValue] {
                let page = try await desk.get("/v1/statements?account=\(account)&asset=USDC/6&limit=1000" + more)
                return (page["items"]?.arrayValue ?? []).filter { $0["type"] == "settlement.released" }
            }
            func shares(_ line: JSONValue) -> [JSONValue] { line["answers"]?.arrayValue ?? [] }
            for index in 0..<3 { try await desk.answer("inf_\(index)", payer: "pia", fee: 100_003) }
            try await eventually("alice has hers", timeout: .seconds(60)) {
                try await lines("contributor:alice").reduce(0) { $0 + shares($1).count } == 3
            }
            // Bob is paid at once for all that waited for him, and for what comes later.
            #expect(try await lines("contributor:bob").isEmpty)
            try await desk.post("/v1/accounts/verified-owners", ["owner": "bob", "claim": "mail"], key: "v-bob")
            try await eventually("bob has his", timeout: .seconds(60)) { try await lines("contributor:bob").count == 1 }
            try await desk.answer("inf_3", payer: "pia", fee: 50_000)
            try await eventually("and what came later", timeout: .seconds(60)) { try await lines("contributor:bob").count == 2 }
            for account in ["contributor:alice", "contributor:bob", "pending:contributor:bob", "datanet:dn_1", "platform:house"] {
                try await eventually("\(account) is paid all four", timeout: .seconds(60)) {
                    try await lines(account).reduce(0) { $0 + shares($1).count } == 4
                }
                let found = try await lines(account)
                for line in found {
                    #expect(shares(line).compactMap { units($0["amount"]) }.reduce(0, +) == units(line["amount"]), "\(account)")
                    #expect(line["answers_count"]?.intValue == Int64(shares(line).count))
                    for share in shares(line) {
                        let reference = share["reference"]?.stringValue ?? ""
                        #expect(share["links"]?["answer"]?.stringValue == "/v1/inferences/" + reference)
                        #expect(share["links"]?["attribution"]?.stringValue == "/v1/attributions/" + reference)
                        #expect(share["links"]?["proof"]?.stringValue?.hasPrefix("/log/v1/events/") == true)
                    }
                }
                let names = found.flatMap(shares).compactMap { $0["reference"]?.stringValue }
                #expect(names == ["inf_0", "inf_1", "inf_2", "inf_3"])
            }
            let first = try #require(try await lines("contributor:bob").first)
            let path = try #require(first["links"]?["answers"]?.stringValue)
            let page = try await desk.get(path + "&limit=2"), cursor = try #require(page["next"]?.stringValue)
            let rest = try await desk.get(path + "&limit=2&cursor=" + cursor)
            #expect((page["items"]?.arrayValue ?? []) + (rest["items"]?.arrayValue ?? []) == shares(first) && rest["next"] == nil)
            #expect(try await desk.raw("GET", path.replacing("position=", with: "position=9"), nil, key: nil).status == 404)
            #expect(try await desk.raw("GET", path, nil, key: nil, token: desk.house.token("mallory")).status == 403)
            let statement = "/v1/statements?account=contributor:bob&asset=USDC/6&limit=1000"
            let csv = String(decoding: try await desk.raw("GET", statement + "&format=csv", nil, key: nil).body, as: UTF8.self)
            #expect(csv.contains(",\"inf_0 inf_1 inf_2\",") && csv.contains("/v1/statements/answers?account=contributor:bob&asset=USDC/6&"))
            let text = try await read(try await desk.raw("GET", statement + "&format=pdf", nil, key: nil).body)
            for index in 0..<4 { #expect(text.contains("inf_\(index)")) }
        }
    }

    @Test("what flowed back is linked to the answer that it is of")
    func refundLines() async throws {
        try await withBilling { desk in
            try await prepare(desk)
            let path = "/v1/statements?account=payer:pia&asset=USDC/6&limit=1000"
            let events = try await desk.house.ledger.client(for: .billing).read(
                stream: try #require(Decision.stream), from: 0, limit: 1_000)
            let event = try #require(events.first { (try? EventHeader(trusted: $0.bytes).type) == SettlementPosted.type })
            let settled = try SettlementPosted(JSON.parse(Array(event.bytes[try EventHeader(trusted: event.bytes).data])).object())
            try await desk.post(
                "/v1/settlements/\(settled.id)/refunds", ["amount": ["asset": "USDC/6", "amount": "1000"], "reason": "slow"], key: "r")
            try await eventually("the refund is in the statement", timeout: .seconds(60)) {
                try await desk.get(path)["items"]?.arrayValue?.last?["type"] == "refund.posted"
            }
            let line = try #require(try await desk.get(path)["items"]?.arrayValue?.last)
            #expect(line["reference"]?.stringValue == settled.reference)
            #expect(line["links"]?["attribution"]?.stringValue == "/v1/attributions/" + settled.reference)
        }
    }

    private func read(_ pdf: [UInt8]) async throws -> String {
        let folder = try TemporaryFolder("people")
        try Data(pdf).write(to: URL(fileURLWithPath: folder.path("it.pdf")))
        let outcome = try await Subprocess.run(["/usr/bin/pdftotext", "-layout", folder.path("it.pdf"), "-"])
        try #require(outcome.status.isSuccess, "\(outcome.errors)")
        return outcome.output
    }
}
