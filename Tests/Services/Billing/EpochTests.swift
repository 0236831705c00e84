import EVM
import Crypto
import EventLog
import Events
import JSON
import Money
import ServiceTestSupport
import TestSupport
import Testing

@testable import BillingDomain

@Suite("Closed epochs")
struct EpochTests {
    @Test("the trees of past epochs are made again from what each one changed")
    func leaves() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000_000)
        let asset = house.asset
        let keys = try (0..<4).map { try WalletKey(UInt8($0 + 1)) }
        for (index, key) in keys.enumerated() {
            let request = try key.request("o\(index)", WalletKey.address(index))
            try house.run { try $0.setWallet(request) }
            try house.run { try $0.verifyOwner("o\(index)", claim: "mail") }
        }
        var served: [[WalletLeaf]] = []
        for epoch in 0..<8 {
            // Not everybody earns each time, one claims, and one moves house.
            try house.answer(
                "i\(epoch)", payer: "pia", fee: 100_000, shares: [("o\(epoch % 4)", 700_000_000), ("o\((epoch + 1) % 4)", 300_000_000)])
            house.pass(seconds: 300_000)
            let due = house.now
            while house.state.isDue(at: due) { try house.run { try $0.sweep(now: due) } }
            if epoch == 3 {
                let units = try #require(served[2].first { $0.address.description == WalletKey.address(0) }?.cumulative)
                let amount = house.amount(Int128(units))
                try house.run { try $0.claim(asset, address: WalletKey.address(0), cumulative: amount, transaction: "t") }
            }
            if epoch == 4 || epoch == 5 {
                let owner = epoch - 4, request = try keys[owner].request("o\(owner)", WalletKey.address(epoch), 1)
                try house.run { try $0.setWallet(request) }
            }
            try house.run { try $0.closeEpoch(asset) }
            let leaves = try #require(house.state.epoch(asset)?.leaves)
            served.append(leaves)
            #expect(house.state.pastEpochs(asset).last?.root == StandardMerkleTree(leaves)?.rootText)
        }
        // One that had not claimed anything left an empty wallet behind, and one that had a full one.
        #expect(!served[7].contains { $0.address.description == WalletKey.address(1) })
        #expect(served[7].contains { $0.address.description == WalletKey.address(0) })
        for (index, leaves) in served.enumerated() { #expect(house.state.leaves(asset, epoch: index + 1) == leaves) }
        #expect(house.state.leaves(asset, epoch: 0) == nil && house.state.leaves(asset, epoch: 9) == nil)
    }

    @Test("a transaction of more entries than its evidence can hold is refused, and says so")
    func tooMany() throws {
        let asset = try Asset("USDC/6")
        let posting = Posting(account: try AccountID(.payer, "pia"), amount: Amount(1, asset))
        var decision = Decision.nothing
        #expect(
            throws: BillingError.invalid(field: "postings", reason: "are 200001, more than the 200000 of one transaction")
        ) { _ = try decision.list(Array(repeating: posting, count: Decision.maximumEntries + 1)) }
        // The longest that there can be, so many of them, fit.
        let longest = Posting(
            account: AccountID(trusted: "pending:" + String(repeating: "x", count: AccountID.maximumBytes - 8)), amount: Amount(.min, asset)
        )
        #expect(try EvidenceList.encode([longest, longest]).count / 2 * Decision.maximumEntries <= 64 << 20)
    }

    /// What is served about an epoch.
    private func served(_ desk: Desk, _ epoch: Int?, _ address: String) async throws -> [JSONValue] {
        let query = "?asset=USDC/6" + (epoch.map { "&epoch=\($0)" } ?? "")
        return [
            try await desk.get("/v1/epochs/tree" + query), try await desk.get("/v1/claims\(query)&address=\(address)"),
            try await desk.get("/v1/epochs/liabilities\(query)&account=payer:pia"),
            try await desk.get("/v1/epochs/liabilities\(query)&account=platform:house"),
        ]
    }

    @Test("the trees, claims and proofs of liabilities of past epochs are served as they were when they were the last")
    func service() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await desk.publishModel()
            try await desk.post("/v1/settlements/rules", Self.rules, key: "rules")
            let alice = try WalletKey(1), bob = try WalletKey(2)
            for (owner, key, number) in [("alice", alice, 1), ("bob", bob, 2)] {
                try await desk.post("/v1/accounts/verified-owners", ["owner": .string(owner), "claim": "mail"], key: "v-" + owner)
                try await desk.post("/v1/accounts/wallets", try key.body(owner, WalletKey.address(number)), key: "w-" + owner)
            }
            var answers: [[JSONValue]] = []
            for epoch in 1...3 {
                try await desk.answer("inf_\(epoch)", payer: "pia", fee: 100_003 + epoch)
                try await eventually("what was earned is there", timeout: .seconds(60)) {
                    let (balance, pending) = (try await desk.balance("contributor:bob"), try await desk.pending("contributor:bob"))
                    return balance > 0 && pending == 0
                }
                if epoch == 2 { try await desk.post("/v1/accounts/wallets", try bob.body("bob", WalletKey.address(5), 1), key: "w-2") }
                try await desk.post("/v1/epochs", ["asset": "USDC/6"], key: "close-\(epoch)")
                answers.append(try await served(desk, nil, WalletKey.address(1)))
            }
            for epoch in 1...3 {
                try await eventually("the rows of epoch \(epoch) are there") {
                    try await desk.raw("GET", "/v1/epochs/liabilities?asset=USDC/6&epoch=\(epoch)&account=payer:pia", nil, key: nil).status
                        == 200
                }
                #expect(try await served(desk, epoch, WalletKey.address(1)) == answers[epoch - 1], "epoch \(epoch)")
            }
            // Bob's first wallet had a claim in the first epoch only.
            let query = "/v1/claims?asset=USDC/6&address=" + WalletKey.address(2)
            #expect(try await desk.raw("GET", query + "&epoch=1", nil, key: nil).status == 200)
            #expect(try await desk.raw("GET", query, nil, key: nil).status == 404)
            for path in ["tree?asset=USDC/6&epoch=4", "tree?asset=EUR/2", "liabilities?asset=USDC/6&epoch=4&account=payer:pia"] {
                #expect(try await desk.raw("GET", "/v1/epochs/" + path, nil, key: nil).status == 404)
            }
            let first = try await desk.get("/v1/epochs?asset=USDC/6&limit=2")
            #expect(first["items"]?.arrayValue?.map { $0["epoch"]?.intValue } == [1, 2])
            let next = try #require(first["next"]?.stringValue)
            let last = try await desk.get("/v1/epochs?asset=USDC/6&limit=2&cursor=\(next)")
            #expect(last["items"]?.arrayValue?.map { $0["epoch"]?.intValue } == [3] && last["next"] == nil)
            #expect(last["items"]?.arrayValue?.first?["liabilities"]?["amount"]?.stringValue == "10000000")
        }
    }

    @Test("a holder's proof counts what is available, pending and staked, holds offline, and nothing else does")
    func holders() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await desk.publishModel()
            try await desk.open("payer:alice", deposit: 700)
            try await desk.post(
                "/v1/stakes", ["pool": "dn_1", "account": "payer:alice", "amount": ["asset": "USDC/6", "amount": "200"]], key: "s")
            let key = try WalletKey(1)
            try await desk.post("/v1/accounts/verified-owners", ["owner": "cora", "claim": "mail"], key: "v")
            try await desk.post("/v1/accounts/wallets", try key.body("cora", WalletKey.address(1)), key: "w")
            // Cora is paid at once, so that an epoch can close; alice is not verified, and hers is pending.
            try await desk.post("/v1/settlements/rules", Self.rules, key: "rules")
            try await desk.answer("inf_0", payer: "pia", fee: 1_000_003)
            try await eventually("cora has hers", timeout: .seconds(60)) { try await desk.balance("curator:cora") > 0 }
            try await desk.post("/v1/epochs", ["asset": "USDC/6"], key: "close")
            let ledger = try ReceiptHouse(desk)
            let alice = try desk.house.token("alice"), pending = try await desk.pending("contributor:alice")
            let path = "/v1/epochs/liabilities/proof?asset=USDC/6"
            try await eventually("the file is there", timeout: .seconds(60)) {
                try await desk.raw("GET", path, nil, key: nil, token: alice).status == 200
            }
            let bytes = try await desk.raw("GET", path, nil, key: nil, token: alice).body
            let proof = try LiabilityProof(parsing: bytes)
            #expect(proof.parts.map(\.liability.account.text) == ["payer:alice", "pending:contributor:alice", "stake:dn_1:payer:alice"])
            #expect(proof.parts.map(\.liability.units) == [500, UInt128(pending), 200] && proof.total == UInt128(pending) + 700)
            let trust = try await ledger.trust()
            let (closed, _, _) = try proof.check(trust: trust)
            #expect(closed.epoch == 1 && closed.liabilities.units == 10_000_700)
            #expect(try LiabilityProof(parsing: JSON.write(proof.json)) == proof)

            func refused(_ kind: ReceiptFault.Kind, _ change: (inout LiabilityProof) -> Void) {
                var other = proof
                change(&other)
                #expect {
                    _ = try other.check(trust: trust)
                } throws: { ($0 as? ReceiptFault)?.kind == kind }
            }
            refused(.amount) { proof in
                let first = proof.parts[0].liability
                proof.parts[0].liability = Liability(account: first.account, units: first.units + 1)
            }
            refused(.amount) { $0.total += 1 }
            refused(.amount) { $0.parts[1].steps.removeLast() }
            refused(.link) { $0.holder = "bob" }
            refused(.link) { $0.parts.append($0.parts[2]) }
            refused(.link) { $0.epoch = 2 }
            refused(.inclusion) { $0.event.position += 1 }
            let stranger = try #require(NoteSigner(name: "test.example/log", key: try Ed25519PrivateKey.generate()))
            let other = try LogTrust(keys: [stranger.verifier])
            #expect { _ = try proof.check(trust: other) } throws: { ($0 as? ReceiptFault)?.kind == .signature }

            let bob = try desk.house.token("bob")
            #expect(try await desk.raw("GET", path + "&holder=alice", nil, key: nil, token: bob).status == 403)
            #expect(try await desk.raw("GET", path + "&holder=nobody", nil, key: nil).status == 404)
            #expect(try await desk.raw("GET", path + "&epoch=2", nil, key: nil, token: alice).status == 404)
        }
    }

    static let rules: JSONValue = [
        "platform_points": 500, "platform": "platform:house",
        "training": ["owner": 0, "datanets": 2_000, "contributors": 5_000, "validators": 500, "compute": 2_500],
        "holdback_seconds": 0, "dispute_bond": 1_000_000, "unbond_seconds": 604_800, "dust": 1,
    ]
}
