import BillingDomain
import Crypto
import EventLog
import Events
import JSON
import Money
import TestSupport
import Testing

@Suite("What receipts are made of")
struct ReceiptRuleTests {
    @Test("the ways of a settlement are its amounts, step by step, for any shares and fees")
    func ways() throws {
        var generator = Seed.generator()
        let usdc = try #require(House.usdc)
        for _ in 0..<200 {
            var left = 1_000_000_000
            var shares: [AttributionShare] = []
            for index in 0..<Int.random(in: 0...6, using: &generator) {
                let share = Int.random(in: 0...left, using: &generator)
                left -= share
                shares.append(AttributionShare(owner: "o\(index % 4)", datanet: "dn_\(index % 3)", share: share))
            }
            if !shares.isEmpty { shares[0].share += left }
            let points = Int.random(in: 0...10_000, using: &generator)
            let datanet = SettlementTerms.Datanet(
                treasury: points, curating: 0, contributing: 10_000 - points, curators: Bool.random(using: &generator) ? ["c", "b"] : [],
                validators: Bool.random(using: &generator) ? ["v"] : [])
            let terms = SettlementTerms(
                platformPoints: Int.random(in: 0...10_000, using: &generator), platform: AccountID(trusted: "platform:house"),
                split: ModelSplit(owner: 1, datanets: 4_999, contributors: 3_000, validators: 1_000, compute: 1_000), owner: "acme",
                runner: "r", datanets: ["dn_0": datanet, "dn_1": datanet, "dn_2": datanet])
            let fee = Amount(Int128.random(in: 0...10_000_000, using: &generator), usdc)
            let ways = try Settlement.tree(terms: terms, shares: shares).ways(of: fee)
            var sums: [AccountID: Int128] = [:]
            for way in ways {
                let last = try #require(way.steps.last)
                sums[way.account, default: 0] += last.units
                var whole = fee.units
                for step in way.steps {
                    // Each part is its weight's part of the whole before it, to the unit.
                    let exact = whole * Int128(step.weight) / Int128(step.of)
                    #expect(step.units == exact || step.units == exact + 1)
                    whole = step.units
                }
            }
            #expect(sums == (try Settlement.compute(fee: fee, terms: terms, shares: shares)))
            #expect(sums.values.reduce(0, +) == fee.units)
        }
    }

    @Test("a proof from leaves at hand leads to the root, for every leaf of every small tree")
    func leaves() throws {
        for count in 1...40 {
            let leaves = (0..<count).map { Merkle.leaf([UInt8(clamping: $0)]) }
            let root = Merkle.root(of: leaves)
            for index in leaves.indices {
                try InclusionProof(of: index, in: leaves).verify(leaf: leaves[index], root: root)
                #expect(throws: ProofError.self) {
                    try InclusionProof(of: index, in: leaves).verify(leaf: Merkle.leaf([255, 1]), root: root)
                }
            }
        }
    }

    @Test("a receipt is read back as it was written")
    func roundTrip() throws {
        let usdc = try #require(House.usdc)
        let hash = [UInt8](repeating: 7, count: 32)
        var part = ReceiptSettlement(
            settled: 9, basis: 8, charges: [6, 7], datanets: [.init(policy: 1, members: [2, 3])], units: 12, left: 11, state: .onItsWay)
        part.inference = 5
        part.rules = 0
        part.balance = 40
        part.releases = [12, 13]
        part.sources = [
            .init(
                item: AdmittedItem(
                    item: "it_1", contribution: "ct_1", owner: "ann", commitment: SHA256.hash([1]), tokens: 3, licence: "CC0-1.0",
                    language: "en", cluster: "it_1"), index: 4, proof: [hash], contribution: 1, screening: 2, admission: 3, snapshot: 4,
                named: .passages)
        ]
        part.why = [[SplitStep(name: "net", weight: 9_500, of: 10_000, units: 12)]]
        part.corrections = [.init(ruling: 20, corrected: 21, settled: 22, units: 11, why: part.why)]
        let receipt = Receipt(
            subject: "po_1", payee: AccountID(trusted: "contributor:ann"), amount: Amount(11, usdc), checkpoint: "note",
            events: [ProvenEvent(position: 3, bytes: [1, 2], proof: [hash])], evidence: [[1]], settlements: [part],
            payouts: [.rail(request: 14, finish: nil), .wallet(epoch: 15, wallet: 2, claim: 16)])
        #expect(try Receipt(parsing: JSON.write(receipt.json)) == receipt)
        #expect(Set(part.positions) == [9, 8, 6, 7, 1, 2, 3, 5, 0, 12, 13, 4, 20, 21, 22])
    }

    @Test(
        "what is no receipt is a fault of the format",
        arguments: ["", "{}", "[]", #"{"type":"openledger/receipt/v2"}"#, #"{"type":"openledger/receipt/v1","subject":"x"}"#])
    func malformed(text: String) {
        do {
            _ = try Receipt(parsing: Array(text.utf8))
            Issue.record("it was read")
        } catch { #expect(error.kind == .format) }
    }
}

extension ReceiptSettlement {
    fileprivate init(
        settled: Int, basis: Int, charges: [Int], datanets: [Datanet], units: Int128, left: Int128, state: ReceiptState
    ) {
        self.init(settled: settled, basis: basis, charges: charges, datanets: datanets, units: units, why: [], left: left, state: state)
    }
}
