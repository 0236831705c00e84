import Crypto
import EventLog
import Events
import JSON
import Replay
import Testing

@testable import openledger

/// What was made by the services is replayed without a fault; each way to tamper with it is found, by whose rules and where.
@Suite struct TamperingTests {
    @Test func `what the services did is what their rules make`() async throws {
        let story = try await WholeStory.told()
        let report = try await TamperedLog.audit(story.events, story.evidence)
        #expect(report.faults.isEmpty, "\(report.faults)")
        #expect(report.services.reduce(0) { $0 + $1.events } == UInt64(story.events.count))
        // Every type that the story has is decided again, not passed over.
        let unknown = report.services.flatMap(\.gaps).filter { $0.gap.what.hasPrefix("events of type") }
        #expect(unknown.isEmpty, "\(unknown.map(\.gap.what))")
        let checked = report.services.reduce(into: [String: Int]()) { $0.merge($1.checked) { $0 + $1 } }
        for what in [
            "settlements", "attributions", "snapshots' roots", "drawn panels", "reviews", "training shares",
            "epochs' roots and liabilities",
            "corrected attributions", "electoral rolls", "answers' fees", "pieces of evidence", "assets that add up to zero",
        ] { #expect(checked[what] ?? 0 > 0, "no \(what)") }
    }

    @Test func `taking a log apart and putting it together again changes nothing`() async throws {
        let report = try await TamperedLog(try await WholeStory.told()).audit()
        #expect(report.isGood, "\(report.faults)")
    }

    @Test(arguments: Tampering.all)
    func `it is found and located`(tampering: Tampering) async throws {
        var log = try TamperedLog(try await WholeStory.told())
        let place = try tampering.plant(&log)
        let report = try await log.audit()
        let first = try #require(report.faults.first, "nothing was found")
        // Whatever is altered before a panel was drawn also shows in the draw, which hangs on the tree up to there.
        let places = Set([place, log.decision(of: place)].map(UInt64.init))
        let isNamed = report.faults.contains { $0.service == tampering.service && $0.position.map(places.contains) == true }
        #expect(isNamed, "\(place) is not named: \(report.faults)")
        #expect(first.position ?? .max <= UInt64(place) && !first.reason.isEmpty, "\(first)")
        let isFirst = first.position.map(places.contains) == true && first.service == tampering.service
        #expect(isFirst || tampering.isSeenBefore || first.type == ReviewDrawn.type, "\(first)")
    }

    @Test func `there are as many kinds as were promised, and none twice`() {
        #expect(Tampering.all.count >= 60)
        #expect(Set(Tampering.all.map(\.name)).count == Tampering.all.count)
    }
}
