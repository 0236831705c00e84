import BillingDomain
import Crypto
import EventLog
import Events
import Foundation
import JSON
import Money
import TestSupport
import Testing

@testable import openledger

/// A closed epoch on a log of two events, and what it owed.
private struct ClosedLog {
    let folder: TemporaryFolder
    let signer: NoteSigner
    let proof: LiabilityProof

    init() throws {
        folder = try TemporaryFolder("liabilities")
        signer = try #require(NoteSigner(name: "log.example/owed", key: try Ed25519PrivateKey(seed: [UInt8](repeating: 12, count: 32))))
        let owed = [
            ("contributor:ann", 20), ("payer:zoe", 7), ("pending:contributor:ann", 5), ("stake:dn_1:validator:ann", 3),
        ]
        let liabilities = try owed.map { Liability(account: try #require(AccountID($0.0)), units: UInt128($0.1)) }
        let tree = try #require(LiabilityTree(liabilities))
        let asset = try Asset("USDC/6")
        let closed = PayoutEpochClosed(
            epoch: 4, asset: asset, root: "0x" + String(repeating: "0", count: 64), wallets: 0, cumulative: Amount(0, asset),
            liabilitiesRoot: tree.root.hash, liabilities: Amount(Int128(tree.root.sum), asset), accounts: owed.count,
            postings: .entries([]))
        let events = try (0..<2).map { number in
            try Event(
                type: PayoutEpochClosed.type, stream: try #require(Decision.stream), time: Timestamp(microseconds: Int64(number)),
                actor: "root", cause: .command(id: "c\(number)", digest: .zero), ordinal: 0, correlation: "t", data: closed.json
            ).encoded()
        }
        let leaves = events.map { Merkle.leaf($0) }
        let note = try SignedCheckpoint(
            signing: Checkpoint(origin: "log.example/owed", size: 2, root: Merkle.root(of: leaves)), by: [signer]
        ).note.encoded
        proof = try #require(
            LiabilityProof(
                holder: "ann", asset: asset, epoch: 4, tree: tree, checkpoint: note,
                event: ProvenEvent(position: 1, bytes: events[1], proof: [leaves[0].bytes])))
    }

    func verify(_ change: (JSONValue) -> JSONValue = { $0 }, _ more: [String] = []) async throws -> (status: Int32, written: Written) {
        let path = folder.path("proof.json")
        try Data(JSON.write(change(proof.json))).write(to: URL(fileURLWithPath: path))
        let written = Written()
        return (await VerifyCommand.run([path, "--key", "\(signer.verifier)"] + more, console: written.console), written)
    }
}

@Suite struct LiabilityCommandTests {
    @Test func `verify says what of a holder's was counted, and by whose word`() async throws {
        let log = try ClosedLog()
        let good = try await log.verify()
        #expect(good.status == 0, "\(good.written.err)")
        for words in ["0.00002 on contributor:ann", "on pending:contributor:ann", "on stake:dn_1:validator:ann", "0.000028 of 0.000035"] {
            #expect(good.written.out.contains(words), "\(good.written.out)")
        }
        let machine = try await log.verify({ $0 }, ["--json"])
        #expect(try JSON.parse(machine.written.out)["total"] == "28" && machine.status == 0)
    }

    @Test func `verify finds one unit more, another's account and another log`() async throws {
        let log = try ClosedLog()
        for (fault, old, new) in [
            ("amount:", #""balance":"20""#, #""balance":"21""#), ("amount:", #""total":"28""#, #""total":"29""#),
            ("link:", #""holder":"ann""#, #""holder":"zoe""#), ("link:", #""epoch":4,"#, #""epoch":5,"#),
            ("inclusion:", #""position":1,"#, #""position":0,"#), ("format:", #""left":false"#, #""left":0"#),
            ("signature:", "log.example/owed", "log.example/else"),
        ] {
            let text = String(decoding: JSON.write(log.proof.json), as: UTF8.self).replacing(old, with: new)
            let bad = try await log.verify { _ in (try? JSON.parse(Array(text.utf8))) ?? .null }
            #expect(bad.status == 1 && bad.written.err.contains("THE PROOF DOES NOT HOLD: " + fault), "\(old): \(bad.written.err)")
        }
    }
}
