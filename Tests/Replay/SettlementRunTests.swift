import AttributionDomain
import BillingDomain
import Crypto
import Decisions
import EventLog
import Events
import JSON
import Replay
import TestSupport
import Testing

/// Ten thousand settlements made from attributions by the rules: all computed again, and one unit too much is found.
@Suite struct SettlementRunTests {
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

    /// The same event with one unit of its entries moved from one account to another.
    private func altered(_ bytes: [UInt8], at position: Int) throws -> [UInt8] {
        let fact = try Fact(LoggedEvent(position: UInt64(position), version: 0, bytes: bytes))
        var data = fact.data
        for (index, units) in [(1, 1), (2, -1)] {
            let pointer = "/postings/entries/\(index)/amount/amount"
            let amount = try #require(data.at(pointer)?.stringValue.flatMap { Int($0) })
            data = data.setting(pointer, to: .string(String(amount + units)))
        }
        return try Event(
            type: fact.type, stream: fact.stream, time: fact.time, actor: fact.actor, cause: fact.cause, ordinal: 0,
            correlation: fact.correlation, data: data
        ).encoded()
    }

    @Test func `ten thousand settlements are computed again, and a planted unit is found`() async throws {
        var random = Seed.generator()
        let count = 10_000
        let run = try SettlementRun(count, &random)
        #expect(run.settlements.count == count)
        let clock = ContinuousClock.now
        let report = try await audit(run.events, run.evidence)
        let elapsed = ContinuousClock.now - clock
        #expect(report.isGood, "\(report.faults)")
        let checked = report.services.reduce(into: [String: Int]()) { $0.merge($1.checked) { $0 + $1 } }
        #expect(checked["settlements"] == count && checked["attributions"] == count && checked["assets that add up to zero"] == 1)
        print("audited \(run.events.count) events with 10,000 settlements and attributions in \(elapsed)")

        let place = try #require(run.settlements.randomElement(using: &random))
        var events = run.events
        events[place] = try altered(events[place], at: place)
        let found = try await audit(events, run.evidence, billingAlone: true)
        #expect(found.faults.first?.position == UInt64(place) && found.faults.first?.service == .billing, "\(found.faults)")
    }
}
