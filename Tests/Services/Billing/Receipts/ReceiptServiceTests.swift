import BillingDomain
import Crypto
import EventLog
import Events
import JSON
import LedgerService
import Money
import ServiceTestSupport
import TestSupport
import Testing

@Suite("Receipts on a real ledger")
struct ReceiptServiceTests {
    @Test("a receipt of sold data leads from the commitment through the snapshot to the reading, and both verifiers agree")
    func reading() async throws {
        try await withBilling { desk in
            let house = try ReceiptHouse(desk)
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await house.publish()
            let usdc = try #require(House.usdc)
            try await desk.tell(
                AccessUsed(
                    access: "ac_1", datanet: "dn_1", snapshot: "sn_1", reader: "pia", grant: "gr_1", purpose: "read", items: 2,
                    price: Amount(100_003, usdc), hold: "hd_none",
                    shares: .entries([
                        AttributionShare(owner: "alice", datanet: "dn_1", share: 500_000_000),
                        AttributionShare(owner: "bob", datanet: "dn_1", share: 500_000_000),
                    ])), as: .datanet, stream: "access/ac_1")
            let trust = try await house.trust()
            for (account, sources) in [("contributor:alice", 1), ("curator:cora", 2), ("datanet:dn_1", 2)] {
                try await eventually("the reading is settled") {
                    try await house.receipt("ac_1", account: account).status == 200
                }
                let answer = try await house.receipt("ac_1", account: account)
                let receipt = try Receipt(parsing: answer.body)
                let (finding, _) = try ReceiptCheck.check(receipt, trust: trust)
                let part = try #require(receipt.settlements.first)
                #expect(finding.settlements.first?.bill.kind == "access" && part.sources.count == sources)
                #expect(part.model == nil && part.base == nil && receipt.amount.units > 0)
                let other = try await house.otherVerdict(on: receipt)
                #expect(other.status == 0, "\(other.words)")
                var forged = receipt
                forged.settlements[0].base = part.basis
                #expect(throws: ReceiptFault.self) { try ReceiptCheck.check(forged, trust: trust) }
            }
        }
    }

    @Test("a task's receipt says what its event and its Datanet's terms give each, and leads contributors to their items")
    func task() async throws {
        try await withBilling { desk in
            let house = try ReceiptHouse(desk)
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await house.publish()
            let usdc = try #require(House.usdc)
            func payout(_ account: String, _ units: Int128) throws -> TaskPayout {
                TaskPayout(account: try #require(AccountID(account)), amount: Amount(units, usdc))
            }
            try await desk.tell(
                TaskCompleted(
                    task: "tk_1", root: "tk_1", milestone: 0, by: "pia", client: "pia", provider: "bot", payer: "pia",
                    amount: Amount(100_003, usdc),
                    payouts: [
                        try payout("datanet:dn_1", 40_001), try payout("model-owner:acme", 20_000), try payout("payer:bot", 40_002),
                    ], isOver: true, frees: false, spent: Amount(100_003, usdc)), as: .agentGateway, stream: "task/tk_1")
            let trust = try await house.trust()
            var sum: Int128 = 0
            let all = [
                ("contributor:alice", 1), ("contributor:bob", 1), ("curator:cora", 2), ("datanet:dn_1", 2), ("model-owner:acme", 0),
                ("payer:bot", 0),
            ]
            for (account, sources) in all {
                try await eventually("the task is settled") {
                    try await house.receipt("tk_1%230", account: account).status == 200
                }
                let receipt = try Receipt(parsing: try await house.receipt("tk_1%230", account: account).body)
                let (finding, _) = try ReceiptCheck.check(receipt, trust: trust)
                let part = try #require(receipt.settlements.first)
                #expect(finding.settlements.first?.task?.task == "tk_1" && part.sources.count == sources, "\(account)")
                #expect(part.model == nil && part.base == nil && part.datanets.map { $0.snapshot != nil } == [true])
                #expect(try await Int(receipt.amount.units) == desk.pending(account), "\(account)")
                sum += receipt.amount.units
                let other = try await house.otherVerdict(on: receipt)
                #expect(other.status == 0, "\(account): \(other.words)")
                let tamperings: [Tampering] = [
                    ("another snapshot", .event, { $0.settlements[0].datanets[0].snapshot = $0.settlements[0].datanets[0].policy }),
                    ("a base", .link, { $0.settlements[0].base = part.basis }),
                    (
                        "no Datanet", account == "payer:bot" || account == "model-owner:acme" ? .terms : .link,
                        { $0.settlements[0].datanets = [] }
                    ),
                ]
                for (name, kind, change) in tamperings {
                    var forged = receipt
                    change(&forged)
                    do throws(ReceiptFault) {
                        _ = try ReceiptCheck.check(forged, trust: trust)
                        Issue.record("\(name) is not found")
                    } catch { #expect(error.kind == kind, "\(name): \(error)") }
                }
            }
            #expect(sum == 100_003)
            // Who is paid sees it, and nobody else.
            let seen = try await house.receipt("tk_1%230", token: try desk.house.token("alice"))
            #expect(try Receipt(parsing: seen.body).payee.text == "contributor:alice")
            #expect(try await house.receipt("tk_1%230", token: try desk.house.token("mallory")).status == 403)
        }
    }

    @Test("a receipt leads from the commitment to the payout, step by step as these come about, and holds for a stranger")
    func wholeWay() async throws {
        try await withBilling { desk in
            let house = try ReceiptHouse(desk)
            let trust = try await house.trust()
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await house.publish()
            let held = try await house.answer("in_1", fee: 100_003)
            let first = try await house.receipt(held, token: try desk.house.token("alice"))
            try #require(first.status == 200, "\(String(decoding: first.body, as: UTF8.self))")
            let receipt = try Receipt(parsing: first.body)
            let (finding, _) = try ReceiptCheck.check(receipt, trust: trust)
            let part = try #require(receipt.settlements.first)
            #expect(receipt.payee.text == "contributor:alice" && part.state == .heldBack && part.releases.isEmpty)
            // This log has no witness.
            #expect(receipt.voucher == .log)
            #expect(part.sources.map(\.item.item) == ["it_alice"] && part.sources.first?.named == .owner)
            #expect(part.sources.first?.item.commitment == SHA256.hash(utf8: "alice"))
            #expect(finding.settlements.first?.inference?.inference == "in_1" && finding.settlements.first?.training?.job == "job_1")
            // carl is a curator no more, and rita never was one.
            #expect(part.datanets.map(\.members.count) == [2])
            #expect(receipt.amount.units == part.why.compactMap(\.last).reduce(Int128(0)) { $0 + $1.units })
            #expect(try await Int(receipt.amount.units) == desk.pending("contributor:alice"))

            try await house.releaseAtOnce()
            let paid = try await house.answer("in_2", fee: 50_001)
            try await eventually("the part waits for alice to be verified") {
                try await house.sound(paid, account: "contributor:alice").settlements.first?.state == .waiting
            }
            try await desk.post("/v1/accounts/verified-owners", ["owner": "alice", "claim": "mail"], key: "verify-alice")
            try await eventually("the part is alice's") { try await desk.balance("contributor:alice") > 0 }
            let credited = try await house.sound(paid, account: "contributor:alice")
            #expect(credited.settlements.first?.state == .credited && credited.settlements.first?.releases.count == 2)

            let balance = try await desk.balance("contributor:alice")
            let body: JSONValue = [
                "amount": ["asset": "USDC/6", "amount": .string(String(balance))], "rail": "sandbox",
                "destination": .string(SHA256.hash([9]).prefixed),
            ]
            let reply = try await desk.raw("POST", "/v1/accounts/contributor:alice/payouts", body, key: "out")
            let payout = try #require(try JSON.parse(reply.body)["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue)
            try await eventually("the payout has arrived") {
                try await house.sound(paid, account: "contributor:alice").settlements.first?.state == .paid
            }
            let out = try await house.sound(payout, token: try desk.house.token("alice"))
            for receipt in [receipt, credited, out] {
                let other = try await house.otherVerdict(on: receipt)
                #expect(other.status == 0, "\(other.words)")
            }
            #expect(out.subject == payout && out.settlements.map(\.state) == [.paid] && out.amount.units == Int128(balance))
        }
    }

    @Test("after a correction the receipts of an old, a changed, an added and a removed payee say what each has, and hold for a stranger")
    func corrected() async throws {
        try await withBilling { desk in
            let house = try ReceiptHouse(desk)
            let trust = try await house.trust()
            for payer in ["payer:pia", "payer:max"] { try await desk.open(payer, deposit: 10_000_000) }
            try await house.publish()
            let id = try await house.answer("in_1", fee: 100_003)
            try await desk.post(
                "/v1/settlements/\(id)/refunds", ["amount": ["asset": "USDC/6", "amount": "10001"], "reason": "late"], key: "refund")
            try await house.correct("in_1", id, without: ["alice"], [("bob", 700_000_000), ("carol", 300_000_000)])
            try await eventually("carol is given something") { try await desk.pending("contributor:carol") > 0 }
            var sum: Int128 = 0
            let accounts = [
                "contributor:alice", "contributor:bob", "contributor:carol", "curator:cora", "validator:vera", "datanet:dn_1",
                "model-owner:acme", "compute:runner-1", "platform:house",
            ]
            for account in accounts {
                let receipt = try await house.sound(id, account: account)
                let part = try #require(receipt.settlements.first)
                #expect(part.corrections.count == 1 && part.corrections.first?.units == part.left, "\(account)")
                #expect(try await Int(part.left) == desk.pending(account), "\(account)")
                #expect(part.corrections.first?.why.compactMap(\.last).reduce(Int128(0)) { $0 + $1.units } == part.left)
                sum += receipt.amount.units
                let other = try await house.otherVerdict(on: receipt)
                #expect(other.status == 0, "\(account): \(other.words)")
            }
            #expect(sum == 90_002)
            let alice = try await house.sound(id, account: "contributor:alice", token: try desk.house.token("alice"))
            #expect(alice.settlements.map(\.state) == [.corrected] && alice.amount.isZero && alice.settlements[0].units > 0)
            let bob = try await house.sound(id, account: "contributor:bob")
            #expect(bob.settlements.map(\.state) == [.heldBack] && bob.settlements[0].left > bob.settlements[0].units)
            let carol = try await house.sound(id, token: try desk.house.token("carol"))
            #expect(carol.payee.text == "contributor:carol" && carol.settlements[0].units == 0 && carol.settlements[0].why.isEmpty)

            // Everything taken back: the correction stays told.
            try await desk.post(
                "/v1/settlements/\(id)/refunds", ["amount": ["asset": "USDC/6", "amount": "90002"], "reason": "all"], key: "refund-all")
            try await eventually("all has flowed back") { try await desk.pending("contributor:carol") == 0 }
            let nothing = try await house.sound(id, account: "contributor:carol")
            #expect(nothing.settlements.map(\.state) == [.returned])

            for (name, kind, change) in Self.correctedTamperings {
                var bad = bob
                change(&bad)
                #expect(bad != bob, "\(name)")
                do throws(ReceiptFault) {
                    _ = try ReceiptCheck.check(bad, trust: trust)
                    Issue.record("\(name) is not found")
                } catch { #expect(error.kind == kind, "\(name): \(error)") }
            }
        }
    }

    @Test("a correction that comes after the release moves nothing, and the receipt says so; a payout's receipt follows corrections")
    func lateCorrection() async throws {
        try await withBilling { desk in
            let house = try ReceiptHouse(desk)
            for payer in ["payer:pia", "payer:max"] { try await desk.open(payer, deposit: 10_000_000) }
            try await house.publish()
            try await house.releaseAtOnce()
            for owner in ["alice", "bob"] {
                try await desk.post("/v1/accounts/verified-owners", ["owner": .string(owner), "claim": "mail"], key: "verify-" + owner)
            }
            let id = try await house.answer("in_1", fee: 100_003)
            try await eventually("alice's part is hers") { try await desk.balance("contributor:alice") > 0 }
            let ruling = RulingMade(
                ruling: "ru-1", about: "task", subject: "ta_1", upheld: true, penalties: [Penalty(principal: "alice", points: 1)],
                pool: "dn_1")
            let time = LedgerClock.system.now()
            let made = try await desk.tell(ruling, as: .datanet, stream: "ruling/ru-1", at: time)
            try await desk.tell(
                AttributionCorrected(
                    attribution: "at-in_1", ruling: "ru-1",
                    shares: .entries([AttributionShare(owner: "bob", datanet: "dn_1", share: 1_000_000_000)]),
                    evidence: SHA256.hash(utf8: "e")), as: .attribution, stream: "attribution/at-in_1-1",
                at: time, cause: made)
            try await eventually("the correction shows") {
                try await house.sound(id, account: "contributor:alice").settlements.first?.corrections.count == 1
            }
            let receipt = try await house.sound(id, account: "contributor:alice")
            let part = try #require(receipt.settlements.first)
            #expect(part.state == .credited && part.left == part.units && part.corrections.first?.why.isEmpty == true)
            #expect(part.corrections.first?.units == part.units)
            let other = try await house.otherVerdict(on: receipt)
            #expect(other.status == 0, "\(other.words)")
        }
    }

    static let correctedTamperings: [Tampering] = [
        ("a correction that is not told", .return, { $0.settlements[0].corrections = [] }),
        ("more by the correction", .correction, { $0.settlements[0].corrections[0].units += 1 }),
        ("a step of the correction", .correction, { $0.settlements[0].corrections[0].why.removeLast() }),
        ("another ruling", .event, { $0.settlements[0].corrections[0].ruling = $0.settlements[0].basis }),
        ("a correction twice", .order, { $0.settlements[0].corrections.append($0.settlements[0].corrections[0]) }),
        ("a refund before the correction that is not told", .correction, { $0.settlements[0].returns = [] }),
        ("the old amount", .return, { $0.settlements[0].left = $0.settlements[0].units }),
    ]

    @Test("payer, payees and auditors get a receipt, each of what is theirs to see, and nobody else does")
    func access() async throws {
        try await withBilling { desk in
            let house = try ReceiptHouse(desk)
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await house.publish()
            let id = try await house.answer("in_1", fee: 100_003)
            func status(_ account: String?, _ subject: String, _ scopes: Set<String> = []) async throws -> Int {
                try await house.receipt(id, account: account, token: try desk.house.token(subject, scopes: scopes)).status
            }
            #expect(try await status(nil, "mallory") == 403)
            #expect(try await status("contributor:alice", "mallory") == 403)
            #expect(try await status("contributor:bob", "alice") == 403)
            #expect(try await status("payer:alice", "alice") == 404)
            #expect(try await status("contributor:alice", "alice") == 200)
            #expect(try await status("curator:cora", "pia") == 200)
            #expect(try await status("datanet:dn_1", "eve", ["billing:read"]) == 200)
            #expect(try await status("nobody", "pia") == 400)
            #expect(try await house.receipt(id, token: "none").status == 401)
            #expect(try await house.receipt("6f9c0000-0000-8000-8000-000000000000").status == 404)
            #expect(try await house.receipt("po_none").status == 404)
            // Each payee's receipt holds, and together they are the fee.
            let trust = try await house.trust()
            var sum: Int128 = 0
            let accounts = [
                "contributor:alice", "contributor:bob", "curator:cora", "validator:vera", "datanet:dn_1", "model-owner:acme",
                "compute:runner-1", "platform:house",
            ]
            for account in accounts {
                let receipt = try Receipt(parsing: try await house.receipt(id, account: account).body)
                _ = try ReceiptCheck.check(receipt, trust: trust)
                sum += receipt.amount.units
            }
            #expect(sum == 100_003)
            // Whoever sees all and names no account gets the contributor with the largest part.
            let largest = try Receipt(parsing: try await house.receipt(id, token: try desk.house.token("pia")).body)
            #expect(largest.payee.text == "contributor:alice")
            let text = String(decoding: try await house.receipt(id).body, as: UTF8.self)
            #expect(!text.contains("\"content\""))
        }
    }

    @Test("refunds and disputes show, and what was tampered with is found and named")
    func faults() async throws {
        try await withBilling { desk in
            let house = try ReceiptHouse(desk)
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await house.publish()
            let id = try await house.answer("in_1", fee: 100_003)
            try await desk.post(
                "/v1/settlements/\(id)/refunds", ["amount": ["asset": "USDC/6", "amount": "10001"], "reason": "late"], key: "refund")
            try await desk.post(
                "/v1/disputes",
                [
                    "settlement": .string(id), "account": "payer:pia", "reason": "wrong", "evidence": .string(SHA256.hash([1]).prefixed),
                ], key: "dispute")
            let good = try Receipt(parsing: try await house.receipt(id, account: "contributor:alice").body)
            let trust = try await house.trust()
            _ = try ReceiptCheck.check(good, trust: trust)
            let part = try #require(good.settlements.first)
            #expect(part.state == .disputed && part.returns.count == 1 && part.left < part.units)

            for (name, kind, change) in Self.tamperings {
                var bad = good
                change(&bad)
                #expect(bad != good, "\(name)")
                do throws(ReceiptFault) {
                    _ = try ReceiptCheck.check(bad, trust: trust)
                    Issue.record("\(name) is not found")
                } catch { #expect(error.kind == kind, "\(name): \(error)") }
            }
            var bad = good
            bad.settlements[0].charges = []
            let other = try await house.otherVerdict(on: bad)
            #expect(other.status == 1 && other.words.contains("fee:"), "\(other.words)")
            let stranger = try #require(NoteSigner(name: "test.example/log", key: try Ed25519PrivateKey.generate()))
            do {
                _ = try ReceiptCheck.check(good, trust: try LogTrust(keys: [stranger.verifier]))
                Issue.record("a stranger's key is believed")
            } catch let error as ReceiptFault { #expect(error.kind == .signature) }
        }
    }

    typealias Tampering = (name: String, kind: ReceiptFault.Kind, change: @Sendable (inout Receipt) -> Void)

    static let tamperings: [Tampering] = [
        ("another root", .signature, { $0.checkpoint = $0.checkpoint.replacing($0.checkpoint.split(separator: "\n")[2], with: "A") }),
        ("a byte of an event", .inclusion, { $0.events[2].bytes[10] ^= 1 }),
        ("a hash of a proof", .inclusion, { $0.events[2].proof[0][0] ^= 1 }),
        ("an event at another place", .inclusion, { $0.events[0].position += 1 }),
        ("an event left out", .event, { receipt in receipt.events.removeAll { $0.position == receipt.settlements[0].model } }),
        (
            "a payee who has no part", .amount,
            {
                $0.settlements[0].sources = []; $0.payee = AccountID(trusted: "curator:mallory")
            }
        ),
        ("another payee's items", .link, { $0.payee = AccountID(trusted: "contributor:bob") }),
        ("more units", .amount, { $0.settlements[0].units += 1 }),
        ("a step of the way", .amount, { $0.settlements[0].why.removeLast() }),
        ("what is left", .return, { $0.settlements[0].left += 1 }),
        ("a refund that is not told", .return, { $0.settlements[0].returns = [] }),
        ("a dispute that is not told", .state, { $0.settlements[0].disputed = nil }),
        ("no fee", .fee, { $0.settlements[0].charges = [] }),
        ("a curator who is not told", .amount, { $0.settlements[0].datanets[0].members.removeFirst() }),
        ("a Datanet that is not told", .terms, { $0.settlements[0].datanets = [] }),
        ("a training that is not told", .link, { $0.settlements[0].training = nil }),
        ("an item's length", .item, { $0.settlements[0].sources[0].item.tokens += 1 }),
        ("an item's place", .item, { $0.settlements[0].sources[0].index ^= 1 }),
        ("an item that the evidence would have to name", .evidence, { $0.settlements[0].sources[0].named = .spans }),
        ("the sum", .amount, { $0.amount = Amount($0.amount.units + 1, $0.amount.asset) }),
        ("a payout that is another event", .event, { $0.payouts = [.rail(request: $0.settlements[0].settled, finish: nil)] }),
        ("another subject", .subject, { $0.subject = "po_1" }),
        ("witnesses who did not sign", .signature, { $0.voucher = .witnesses }),
        ("another state", .state, { $0.settlements[0].state = .paid }),
    ]
}
