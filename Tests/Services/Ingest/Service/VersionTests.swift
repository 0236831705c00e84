import Events
import HTTP
import Identity
import IngestDomain
import JSON
import ServiceTestSupport
import TestSupport
import Testing

/// Refused items: why they were, and how they come again.
@Suite struct VersionTests {
    private static func row(_ number: Int, _ more: String = "", supersedes: String? = nil) -> String {
        let old = supersedes.map { #","supersedes":"\#($0)""# } ?? ""
        return
            #"{"prompt":"Who keeps lighthouse \#(number) on the northern coast?","completion":"Keeper \#(number) has kept it since the year the harbour was dug.\#(more)"\#(old)}"#
    }

    private static func file(_ rows: [String]) -> [(String, [UInt8])] {
        [("rows.jsonl", Array((rows.joined(separator: "\n") + "\n").utf8))]
    }

    @Test func aRefusedItemComesAgainAsANewVersionThatNamesTheOld() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let first = try await ingest.contribute(
                alice, "dn_1", Self.file([Self.row(1), Self.row(2, " Mail: eve.adams@mailbox.org."), "{broken", Self.row(1)]))
            let old = try #require(first["contribution"]?.stringValue)
            #expect(first["accepted"] == 1)

            // The second row without the address, the third whole; a row that corrects what was taken, one that was corrected, and none.
            let rows = [
                Self.row(2, supersedes: "\(old).2"), Self.row(3, supersedes: "\(old).3"), Self.row(4, supersedes: "\(old).1"),
                Self.row(5, supersedes: "\(old).2"), Self.row(6, supersedes: "ct_other.1"), Self.row(7),
            ]
            let second = try await ingest.contribute(alice, "dn_1", Self.file(rows), supersedes: old)
            let items = try await ingest.items(second, alice)
            #expect(items.map { $0["reasons"] } == [[], [], ["version.unknown"], ["version.unknown"], ["version.unknown"], []])
            #expect(items.map { $0["supersedes"]?.stringValue } == ["\(old).2", "\(old).3", nil, nil, nil, nil])
            let submitted = try await ingest.call("GET", "/v1/contributions/\(second["contribution"]?.stringValue ?? "")", as: "alice")
            #expect(submitted.json["supersedes"]?.stringValue == old)

            // Without naming the contribution in the signed manifest nothing is corrected.
            let third = try await ingest.contribute(alice, "dn_1", Self.file([Self.row(8, supersedes: "\(old).4")]))
            #expect(try await ingest.items(third, alice).map { $0["reasons"] } == [["version.unknown"]])
        }
    }

    @Test func aVerdictIsExplainedToWhoBroughtTheItem() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let secret = " Mail: eve.adams@mailbox.org."
            let done = try await ingest.contribute(alice, "dn_1", Self.file([Self.row(1, secret), "{broken", Self.row(3)]))
            let id = try #require(done["contribution"]?.stringValue)
            func explained(_ number: Int, as name: String = "alice") async throws -> IngestHouse.Answer {
                try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).\(number)/verdict", as: name)
            }
            let first = try await explained(1).json
            #expect(first["verdict"] == "rejected" && first["rules"]?.stringValue == ScreeningRules.version)
            #expect(first["reasons"]?.arrayValue?.compactMap { $0["code"]?.stringValue } == ["personal.mail"])
            #expect(first["reasons"]?.arrayValue?.first?["effect"] == "refuses")
            let parts = try #require(first["parts"]?.objectValue)
            #expect(Set(parts.members.map(\.key)) == Set(QualityScore.weights.map(\.name)))
            let whole = QualityScore.weights.reduce(0) { $0 + $1.weight * Int(parts[$1.name]?.intValue ?? 0) } / 1000
            #expect(whole == Int(first["quality"]?.intValue ?? -1), "the parts make the whole")
            // The place is where it stands, in what screening looks at.
            let content = try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).1/content", as: "alice").json
            let text = Array(((content["prompt"]?.stringValue ?? "") + "\n" + (content["completion"]?.stringValue ?? "")).utf8)
            let finding = try #require(first["findings"]?.arrayValue?.first)
            let range = Int(finding["start"]?.intValue ?? 0)..<Int(finding["end"]?.intValue ?? 0)
            #expect(String(decoding: text[range], as: UTF8.self) == "eve.adams@mailbox.org" && finding["code"] == "personal.mail")

            #expect(try await explained(2).json["refused"]?["reason"]?.stringValue?.isEmpty == false)
            #expect(try await explained(3).json["verdict"] == "accepted")
            #expect(try await explained(4).status == 404)
            #expect(try await explained(1, as: "bob").status == 404)
            _ = try await ingest.call(
                "POST", "/v1/contributions/\(id)/erasure", as: "alice", json: ["items": [.string("\(id).3")]], key: "gone")
            #expect(try await explained(3).status == 410)
        }
    }

    @Test func whatWasErasedMayComeAgainAndItsCopiesAreCopiesOfThat() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let bob = try IngestHouse.Person("bob")
            let first = try await ingest.contribute(alice, "dn_1", Self.file([Self.row(1), Self.row(2)]))
            let id = try #require(first["contribution"]?.stringValue)
            _ = try await ingest.call(
                "POST", "/v1/contributions/\(id)/erasure", as: "alice", json: ["items": [.string("\(id).1")]], key: "gone")
            let again = try await ingest.contribute(bob, "dn_1", Self.file([Self.row(1), Self.row(2), Self.row(1)]))
            let items = try await ingest.items(again, bob)
            #expect(items.map { $0["reasons"] } == [[], ["duplicate.exact"], ["duplicate.exact"]])
            #expect(items[2]["cluster"] == items[0]["item"])
        }
    }
}
