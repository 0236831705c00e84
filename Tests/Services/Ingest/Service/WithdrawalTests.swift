import Blobs
import Crypto
import Decisions
import EventLog
import Events
import Foundation
import IngestDomain
import JSON
import Replay
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing

@testable import IngestService

/// Consent to all that somebody has contributed, taken back in one call.
@Suite struct WithdrawalTests {
    private static func file(_ number: Int) -> (String, [UInt8]) {
        let row = #"{"text":"The \#(number)th keeper of the lamp wrote down each evening how much of the oil was left in the jar."}"#
        return ("\(number).jsonl", Array((row + "\n").utf8))
    }

    private static func withdraw(
        _ ingest: IngestHouse, _ who: String, as caller: String, datanet: String? = nil, key: String
    ) async throws -> IngestHouse.Answer {
        try await ingest.call(
            "POST", "/v1/contributors/\(who)/withdrawal", as: caller, json: .members(["datanet": datanet.map { .string($0) }]), key: key)
    }

    private static func isWithdrawn(_ ingest: IngestHouse, _ contribution: JSONValue, _ person: IngestHouse.Person) async throws -> Bool {
        let id = contribution["contribution"]?.stringValue ?? ""
        return try await ingest.call("GET", "/v1/contributions/\(id)", as: person.name).json["withdrawn"] == "all"
    }

    @Test func aWholeContributorTakesConsentBackInOneCall() async throws {
        try await withIngest { ingest in
            for id in ["dn_1", "dn_2"] { try await ingest.createDatanet(id) }
            let (alice, bob) = (try IngestHouse.Person("alice"), try IngestHouse.Person("bob"))
            var mine: [JSONValue] = []
            for (number, datanet) in ["dn_1", "dn_2", "dn_1"].enumerated() {
                mine.append(try await ingest.contribute(alice, datanet, [Self.file(number)]))
            }
            let others = try await ingest.contribute(bob, "dn_1", [Self.file(9)])
            #expect(try await Self.withdraw(ingest, "alice", as: "bob", key: "0").status == 403)
            #expect(try await Self.withdraw(ingest, "alice", as: "alice", datanet: "dn_9", key: "1").status == 404)
            let one = try await Self.withdraw(ingest, "alice", as: "alice", datanet: "dn_2", key: "2")
            #expect(one.status == 200 && one.json["contributions"] == 1 && one.json["items"] == 1, "\(one.json)")
            #expect(try await Self.isWithdrawn(ingest, mine[1], alice))
            #expect(try await !Self.isWithdrawn(ingest, mine[0], alice))
            let all = try await Self.withdraw(ingest, "alice", as: "alice", key: "3")
            #expect(all.json["contributions"] == 3 && all.json["items"] == 3, "\(all.json)")
            for contribution in mine { #expect(try await Self.isWithdrawn(ingest, contribution, alice)) }
            #expect(try await !Self.isWithdrawn(ingest, others, bob))
            // What comes later is a new consent, which the same command told once more does not reach.
            let later = try await ingest.contribute(alice, "dn_1", [Self.file(4)])
            #expect(try await Self.withdraw(ingest, "alice", as: "alice", key: "3").json == all.json)
            #expect(try await !Self.isWithdrawn(ingest, later, alice))
            try await Self.audit(try await ingest.house.context(.ingest).log.read(from: 0, limit: 1_000, wait: nil).events)
            try await Self.erase(ingest, later)
        }
    }

    /// What became of what was erased, the audit says as it was: an item's content was removed, a whole owner's key destroyed.
    private static func erase(_ ingest: IngestHouse, _ contribution: JSONValue) async throws {
        let id = contribution["contribution"]?.stringValue ?? ""
        let one = try await ingest.call(
            "POST", "/v1/contributions/\(id)/erasure", as: "alice", json: ["items": [.string(id + ".1")]], key: "5")
        let all = try await ingest.call("POST", "/v1/contributors/alice/erasure", as: "alice", key: "6")
        var documents: [Digest: [UInt8]] = [:]
        for receipt in [one, all] {
            let document = try JSON.canonical(try #require(receipt.json["document"]))
            documents[SHA256.hash(document)] = document
        }
        let events = try await ingest.house.context(.ingest).log.read(from: 0, limit: 1_000, wait: nil).events
        let report = try await replay(events, MemoryEvidence(documents))
        let gaps = report.gaps.filter { $0.gap.what.contains("erased") }.map(\.gap.why)
        #expect(report.faults.isEmpty && gaps.count == 2, "\(report)")
        #expect(gaps.contains { $0.hasPrefix("it was removed") } && gaps.contains { $0.hasPrefix("its key was destroyed") }, "\(gaps)")
    }

    private static func replay(_ events: [LoggedEvent], _ evidence: MemoryEvidence = MemoryEvidence()) async throws -> ServiceReport {
        let shelf = EvidenceShelf(evidence)
        let replay = ServiceReplay(IngestLaw(shelf), evidence: shelf)
        await replay.take(try events.map { ReplayFact(try Fact($0), position: $0.position) })
        return await replay.finish(isWhole: true)
    }

    /// The audit decides it again; a contribution that was passed over, it misses.
    private static func audit(_ events: [LoggedEvent]) async throws {
        let report = try await replay(events)
        #expect(report.faults.isEmpty && report.checked["withdrawals of whole contributors"] == 2, "\(report)")
        let passed = try events.filter { try Fact($0).type != ContributionWithdrawn.type }
        let early = try await replay(passed)
        #expect(early.faults.isEmpty && early.gaps.contains { $0.gap.what.contains("about to be withdrawn") }, "\(early)")
        let last = try Fact(try #require(passed.last))
        let later = Event(
            type: ContributorWithdrawn.type, version: 1, stream: try #require(StreamName("contributor/bob")),
            time: Timestamp(microseconds: last.time.microseconds + 7_200_000_000), actor: "bob",
            cause: .command(id: "later", digest: .zero), ordinal: 0, correlation: "test",
            data: ContributorWithdrawn(contributor: "bob").json)
        let late = try await replay(passed + [LoggedEvent(position: last.position ?? 0, version: 0, bytes: try later.encoded())])
        #expect(late.faults.count { $0.rule == "missing" && $0.reason.contains("alice took back all") } == 3, "\(late)")
    }

    // MARK: Authors whom others named

    private static func rows(_ authors: [String], from first: Int) -> (String, [UInt8]) {
        let lines = authors.enumerated().map { number, author in
            #"{"text":"Leaf \#(first + number): keeper \#(first + number) wrote down what ship \#(first + number) had aboard.","author":"\#(author)"}"#
        }
        return ("\(first).jsonl", Array((lines.joined(separator: "\n") + "\n").utf8))
    }

    /// Ada claims her account in a Datanet, and its owner confirms it.
    private static func claim(_ ingest: IngestHouse, _ name: String, as person: String) async throws -> String {
        let opened = try await ingest.call("POST", "/v1/contributors/claims", as: person, json: ["name": .string(name)], key: "claim")
        let claim = try #require(opened.json["claim"]?.stringValue)
        let confirmed = try await ingest.call(
            "POST", "/v1/contributors/claims/\(claim)/confirmation", as: "olga", json: ["proof": "mail"], key: "confirm")
        #expect(confirmed.status == 200)
        return try #require(opened.json["author"]?.stringValue)
    }

    private static func withdrawn(_ ingest: IngestHouse, _ contribution: JSONValue, _ person: IngestHouse.Person) async throws -> [String] {
        let id = contribution["contribution"]?.stringValue ?? ""
        let shown = try await ingest.call("GET", "/v1/contributions/\(id)", as: person.name).json["withdrawn"]?.arrayValue ?? []
        return shown.compactMap { $0.stringValue.map { String($0.dropFirst(id.count + 1)) } }
    }

    /// The events with the lists that they name.
    private static func audited(_ ingest: IngestHouse, without types: Set<String> = []) async throws -> ServiceReport {
        let store = try ingest.house.context(.ingest).openEvidence()
        let events = try await ingest.house.context(.ingest).log.read(from: 0, limit: 1_000, wait: nil).events
            .filter { try !types.contains(Fact($0).type) }
        var documents: [Digest: [UInt8]] = [:]
        for event in events {
            let fact = try Fact(event)
            for mention in EvidenceMentions.of(type: fact.type, data: fact.data) {
                documents[mention.digest] = try await store.bytes(mention.digest)
            }
        }
        return try await replay(events, MemoryEvidence(documents))
    }

    @Test func anAuthorTakesBackInOneCallAllThatOthersBroughtOfThem() async throws {
        try await withIngest { ingest in
            for id in ["dn_1", "dn_2"] { try await ingest.createDatanet(id) }
            let (club, guild) = (try IngestHouse.Person("club"), try IngestHouse.Person("guild"))
            let first = try await ingest.contribute(club, "dn_1", [Self.rows(["Ada", "Alan", "ada"], from: 0)], kind: .onBehalf)
            // More than an event names, with a list of items that no event has.
            let many = (0..<250).map { $0 % 10 == 0 ? "Alan" : "Ada" }
            let second = try await ingest.contribute(guild, "dn_1", [Self.rows(many, from: 100)], kind: .onBehalf)
            let others = try await ingest.contribute(club, "dn_1", [Self.rows(["Alan"], from: 500)], kind: .onBehalf)
            let author = try await Self.claim(ingest, "Ada", as: "ada")
            for person in ["club", "olga", "guild"] {
                #expect(try await Self.withdraw(ingest, author, as: person, key: "0").status == 403)
            }
            #expect(try await Self.withdraw(ingest, author, as: "ada", datanet: "dn_9", key: "1").status == 404)
            #expect(try await Self.withdraw(ingest, author, as: "ada", datanet: "dn_2", key: "2").status == 422)
            let all = try await Self.withdraw(ingest, author, as: "ada", datanet: "dn_1", key: "3")
            #expect(all.status == 200 && all.json["contributions"] == 2 && all.json["items"] == 227, "\(all.json)")
            #expect(try await Self.withdraw(ingest, author, as: "ada", datanet: "dn_1", key: "3").json == all.json)
            #expect(try await Self.withdrawn(ingest, first, club) == ["1", "3"])
            let taken = try await Self.withdrawn(ingest, second, guild).compactMap { Int($0) }.sorted()
            #expect(taken == (1...250).filter { ($0 - 1) % 10 != 0 })
            #expect(try await Self.withdrawn(ingest, others, club).isEmpty)
            // What is brought later a new call reaches, and asks for nothing where nothing is left.
            let later = try await ingest.contribute(club, "dn_1", [Self.rows(["Ada", "Alan"], from: 600)], kind: .onBehalf)
            #expect(try await Self.withdraw(ingest, author, as: "ada", datanet: "dn_1", key: "3").status == 200)
            #expect(try await Self.withdrawn(ingest, later, club).isEmpty)
            #expect(try await Self.withdraw(ingest, author, as: "ada", key: "4").json["contributions"] == 3)
            #expect(try await Self.withdrawn(ingest, later, club) == ["1"])
            let before = try await ingest.house.context(.ingest).log.read(from: 0, limit: 1, wait: nil).size
            #expect(try await Self.withdraw(ingest, author, as: "ada", key: "5").status == 200)
            #expect(try await ingest.house.context(.ingest).log.read(from: 0, limit: 1, wait: nil).size == before)

            let report = try await Self.audited(ingest)
            #expect(report.faults.isEmpty && report.checked["withdrawals of whole contributors"] == 2, "\(report)")
            let passed = try await Self.audited(ingest, without: [ContributionWithdrawn.type])
            #expect(passed.gaps.contains { $0.gap.what.contains("about to be withdrawn") }, "\(passed)")
        }
    }

    /// As the log is when the process ends between an author's withdrawal and its parts.
    @Test func whatACrashLeftOfAnAuthorsWithdrawalIsDone() async throws {
        try await withServiceHouse { house in
            let ingest = IngestHouse(house: house)
            try await ingest.createDatanet("dn_1")
            let club = try IngestHouse.Person("club")
            func running(_ body: () async throws -> Void) async throws {
                let service = try await IngestService.open(try house.context(.ingest))
                try house.mount([service.mount], grants: [IngestService.grants])
                let task = Task { await service.run() }
                try await body()
                task.cancel()
                await task.value
            }
            var (author, contribution) = ("", JSONValue.null)
            try await running {
                contribution = try await ingest.contribute(club, "dn_1", [Self.rows(["Ada", "Alan"], from: 0)], kind: .onBehalf)
                author = try await Self.claim(ingest, "Ada", as: "ada")
            }
            let id = contribution["contribution"]?.stringValue ?? ""
            try await ingest.put(ContributorWithdrawn(contributor: author, contributions: [id]), "contributor/\(author)", as: .ingest)
            let brought = contribution
            try await running {
                try await eventually("the author's item to be withdrawn") {
                    try await Self.withdrawn(ingest, brought, club) == ["1"]
                }
            }
        }
    }

    /// As the log is when the process ends between the withdrawal and its parts.
    @Test func whatACrashLeftOfAWithdrawalIsDone() async throws {
        try await withServiceHouse { house in
            let ingest = IngestHouse(house: house)
            for id in ["dn_1", "dn_2"] { try await ingest.createDatanet(id) }
            let alice = try IngestHouse.Person("alice")
            func running(_ body: () async throws -> Void) async throws {
                let service = try await IngestService.open(try house.context(.ingest))
                try house.mount([service.mount], grants: [IngestService.grants])
                let task = Task { await service.run() }
                try await body()
                task.cancel()
                await task.value
            }
            var mine: [JSONValue] = []
            try await running {
                for (number, datanet) in ["dn_1", "dn_2"].enumerated() {
                    mine.append(try await ingest.contribute(alice, datanet, [Self.file(number)]))
                }
            }
            try await ingest.put(ContributorWithdrawn(contributor: "alice"), "contributor/alice", as: .ingest)
            let contributions = mine
            try await running {
                try await eventually("the contributions to be withdrawn") {
                    for contribution in contributions where try await !Self.isWithdrawn(ingest, contribution, alice) { return false }
                    return true
                }
            }
        }
    }
}
