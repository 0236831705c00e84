import Crypto
import Decisions
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

    /// A bundle carries what events mention: a document that a law reads and nobody mentions makes the audit of an honest bundle red.
    @Test func `every document that the services kept as evidence is mentioned where an event names it`() async throws {
        let story = try await WholeStory.told()
        #expect(story.stored.count > 20)
        var named: Set<Digest> = []
        for (position, bytes) in story.events.enumerated() {
            let fact = try Fact(LoggedEvent(position: UInt64(position), version: 0, bytes: bytes))
            let mentions = Set(EvidenceMentions.of(type: fact.type, data: fact.data).map { "\($0.pointer) \($0.digest.prefixed)" })
            for (pointer, digest) in digests(in: fact.data) where story.stored.contains(digest) {
                #expect(
                    mentions.contains("\(pointer) \(digest.prefixed)"),
                    "\(fact.type) names \(digest.prefixed) at \(pointer), which nothing mentions")
                named.insert(digest)
            }
        }
        #expect(story.stored.subtracting(named).isEmpty, "kept, and named by no event")
    }

    private func digests(in value: JSONValue, at pointer: String = "") -> [(pointer: String, digest: Digest)] {
        if let digest = value.stringValue.flatMap({ Digest(prefixed: $0) }) { return [(pointer, digest)] }
        if let list = value.arrayValue { return list.enumerated().flatMap { digests(in: $1, at: "\(pointer)/\($0)") } }
        return value.objectValue?.members.flatMap { digests(in: $0.value, at: "\(pointer)/\($0.key)") } ?? []
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

    /// A new kind of event comes with its place in the story and with a way to tamper with it, or it is named here.
    @Test func `every type of event is in the story, and something alters it`() async throws {
        let story = try TamperedLog(try await WholeStory.told())
        let told = Set(story.entries.map(\.type))
        var altered: Set<String> = []
        for tampering in Tampering.all {
            var log = story
            _ = try tampering.plant(&log)
            altered.formUnion(log.typesAltered(from: story))
        }
        let all = Set(EventCatalog.entries.map(\.type)).subtracting(Self.elsewhere)
        #expect(all.subtracting(told).isEmpty, "not in the story: \(all.subtracting(told).sorted())")
        #expect(all.subtracting(altered).isEmpty, "nobody tampers with: \(all.subtracting(altered).sorted())")
        #expect(Self.elsewhere.isDisjoint(with: told.intersection(altered)), "no exceptions any more")
    }

    /// What is sent to a chain wants one, which `Tests/Agents` has, with an audit; the log's keys have tests of their own (`KeyRotationTests`).
    private static let elsewhere: Set<String> = ["log-key.rotated", "payment.sent"]

    /// Who recorded the answer may not have heard of a choice that was made a moment before.
    @Test func `an answer is no lie because its payer changed their mind a moment before`() async throws {
        var log = try TamperedLog(try await WholeStory.told())
        let place = try log.place(InferenceCompleted.type) { $0["kept_until"] != nil }
        let payer = log.get(place, "/payer") ?? .null
        let honest = log.entries[try log.place(PrincipalConfigured.type) { $0["principal"] == payer }]
        for (index, days) in [(place, 1), (place + 2, 30)] {
            var choice = honest
            choice.data = choice.data.setting("/retention_days", to: .int(Int64(days)))
            choice.cause = .command(id: "choice-\(days)", digest: SHA256.hash(utf8: "choice"))
            choice.time = Timestamp(microseconds: log.entries[place].time.microseconds - 1_000)
            log.entries.insert(choice, at: index)
        }
        let report = try await log.audit()
        #expect(!report.faults.contains { $0.service == .agentGateway }, "\(report.faults)")
    }

    @Test func `there are as many kinds as were promised, and none twice`() {
        #expect(Tampering.all.count >= 150)
        #expect(Set(Tampering.all.map(\.name)).count == Tampering.all.count)
    }
}
