import AttributionDomain
import BillingDomain
import Crypto
import Decisions
import EventLog
import Events
import Foundation
import JSON
import Replay
import TestSupport
import Testing

/// Ten thousand settlements made from attributions by the rules: all computed again, and one unit too much is found.
@Suite(.serialized) struct SettlementRunTests {
    /// How many settlements: OPENLEDGER_TEST_SETTLEMENTS, such as 100000.
    private static let count = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_SETTLEMENTS"].flatMap { Int($0) } ?? 10_000
    private static let twoEntries = ["postings/entries/1/amount", "postings/entries/2/amount"]

    /// What each account has after the first events, added up from their entries alone.
    private func balances(_ events: ArraySlice<[UInt8]>) throws -> [String: Int128] {
        var balances: [String: Int128] = [:]
        for bytes in events {
            let data = try JSON.parse(Array(bytes[try EventHeader(trusted: bytes).data]))
            for entry in data["postings"]?["entries"]?.arrayValue ?? [] {
                let account = try #require(entry["account"]?.stringValue)
                balances[account, default: 0] += try #require(entry["amount"]?["amount"]?.stringValue.flatMap { Int128($0) })
            }
        }
        return balances
    }

    /// Replays attribution and billing over the run.
    private func audit(_ events: [[UInt8]], _ evidence: [Digest: [UInt8]], billingAlone: Bool = false) async throws -> ReplayReport {
        let shelf = EvidenceShelf(MemoryEvidence(evidence))
        let billing = ServiceReplay(BillingLaw(shelf), evidence: shelf)
        let replay = LogReplay(billingAlone ? [billing] : [ServiceReplay(AttributionLaw(shelf), evidence: shelf), billing])
        var position: UInt64 = 0
        for start in stride(from: 0, to: events.count, by: 4_096) {
            let logged = events[start..<min(start + 4_096, events.count)].map { bytes in
                defer { position += 1 }
                return LoggedEvent(position: position, version: 0, bytes: bytes)
            }
            try await replay.take(replay.read(logged, leaves: logged.map { Merkle.leaf($0.bytes) }))
            try await replay.reached(.init(size: position, root: Merkle.emptyRoot))
        }
        return await replay.report()
    }

    /// The same event with one unit more and one less in two amounts of its data, or more in one.
    private func altered(_ bytes: [UInt8], at position: Int, _ amounts: [String] = Self.twoEntries) throws -> [UInt8] {
        let fact = try Fact(LoggedEvent(position: UInt64(position), version: 0, bytes: bytes))
        var data = fact.data
        for (index, name) in amounts.enumerated() {
            let pointer = "/\(name)/amount"
            let amount = try #require(data.at(pointer)?.stringValue.flatMap { Int($0) })
            data = data.setting(pointer, to: .string(String(index == 0 ? amount + 1 : amount - 1)))
        }
        return try Event(
            type: fact.type, stream: fact.stream, time: fact.time, actor: fact.actor, cause: fact.cause, ordinal: 0,
            correlation: fact.correlation, data: data
        ).encoded()
    }

    @Test func `ten thousand settlements are computed again, and a planted unit is found`() async throws {
        var random = Seed.generator()
        let count = Self.count
        let run = try SettlementRun(count, &random)
        #expect(run.settlements.count == count)
        let clock = ContinuousClock.now
        let report = try await audit(run.events, run.evidence)
        let elapsed = ContinuousClock.now - clock
        #expect(report.isGood, "\(report.faults)")
        let checked = report.services.reduce(into: [String: Int]()) { $0.merge($1.checked) { $0 + $1 } }
        #expect(checked["settlements"] == count && checked["attributions"] == count && checked["assets that add up to zero"] == 1)
        #expect(checked["epochs' roots and liabilities"] == 2)
        print("audited \(run.events.count) events with \(count) settlements and attributions in \(elapsed)")

        // Every account's proof of what it was owed when the last epoch closed leads to the root on the log, from balances that are added
        // up from entries alone.
        let closing = try #require(run.epochs.last)
        let data = try JSON.parse(Array(run.events[closing][try EventHeader(trusted: run.events[closing]).data]))
        let owed = try balances(run.events[...closing]).filter { $0.value > 0 && !$0.key.hasPrefix("external:") }.map {
            Liability(account: try #require(AccountID($0.key)), units: UInt128($0.value))
        }
        let tree = try #require(LiabilityTree(owed))
        #expect(data["liabilities_root"]?.stringValue == tree.root.hash.prefixed && tree.liabilities == run.liabilities)
        #expect(data["liabilities"]?["amount"]?.stringValue == String(tree.root.sum))
        for liability in tree.liabilities {
            let proof = try #require(tree.proof(of: liability.account))
            #expect(LiabilityTree.verify(liability, proof: proof, root: tree.root))
            let more = Liability(account: liability.account, units: liability.units + 1)
            #expect(!LiabilityTree.verify(more, proof: proof, root: tree.root))
        }

        let place = try #require(run.settlements.randomElement(using: &random))
        var events = run.events
        events[place] = try altered(events[place], at: place)
        let found = try await audit(events, run.evidence, billingAlone: true)
        #expect(found.faults.first?.position == UInt64(place) && found.faults.first?.service == .billing, "\(found.faults)")
    }
    @Test func `one unit in a fee, in who is paid at an epoch, in what wallets have or in what accounts are owed is found`() async throws {
        var random = Seed.generator()
        let run = try SettlementRun(60, &random)
        let good = try await audit(run.events, run.evidence, billingAlone: true)
        #expect(good.isGood, "\(good.faults)")
        let epoch = try #require(run.epochs.first)
        let plants: [(position: Int, amounts: [String])] = [
            (try #require(run.captures.randomElement(using: &random)), ["postings/entries/0/amount", "postings/entries/1/amount"]),
            (try #require(run.settlements.randomElement(using: &random)), Self.twoEntries), (epoch, Self.twoEntries),
            (epoch, ["cumulative"]), (epoch, ["liabilities"]), (try #require(run.epochs.last), ["liabilities"]),
        ]
        for (position, amounts) in plants {
            var events = run.events
            events[position] = try altered(events[position], at: position, amounts)
            let found = try await audit(events, run.evidence, billingAlone: true)
            #expect(found.faults.first?.position == UInt64(position), "\(position) \(amounts): \(found.faults)")
        }
    }
}
