import Crypto
import Events
import Foundation
import HTTP
import Identity
import IngestDomain
import JSON
import LedgerService
import ServiceTestSupport
import TestSupport
import Testing

/// Authors whom others named: they claim their account, see, take back and erase what is theirs.
@Suite struct AuthorTests {
    private static func rows(_ authors: [String], from first: Int = 0) -> [(String, [UInt8])] {
        let lines = authors.enumerated().map { number, author in
            #"{"text":"Note \#(first + number) says how the keeper of light \#(first + number) wrote down every ship that passed by.","author":"\#(author)"}"#
        }
        return [("notes.jsonl", Array((lines.joined(separator: "\n") + "\n").utf8))]
    }

    @Test func aNamedAuthorClaimsTheAccountOnceAnOwnerHasSeenAProof() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let club = try IngestHouse.Person("club")
            let done = try await ingest.contribute(club, "dn_1", Self.rows(["Ada Byron", "Alan Turing", "ada byron"]), kind: .onBehalf)
            let id = try #require(done["contribution"]?.stringValue)
            func claim(_ name: String, as person: String, key: String) async throws -> IngestHouse.Answer {
                try await ingest.call("POST", "/v1/contributors/claims", as: person, json: ["name": .string(name)], key: key)
            }
            #expect(try await claim("Grace Hopper", as: "ada", key: "1").status == 404)
            let opened = try await claim("ADA Byron", as: "ada", key: "2")
            let author = try #require(opened.json["author"]?.stringValue)
            let name = try #require(opened.json["claim"]?.stringValue)
            #expect(opened.json["state"] == "open" && opened.json["datanet"] == "dn_1")
            #expect(try await claim("ADA Byron", as: "ada", key: "2").json == opened.json)
            #expect(try await claim("Ada Byron", as: "ada", key: "2").status == 422, "another body under the same key")
            #expect(try await claim("ada byron", as: "ada", key: "3").json == opened.json, "one claim is enough")

            let path = "/v1/contributors/claims/\(name)/confirmation"
            func confirm(as person: String, _ proof: JSONValue = "mail", key: String) async throws -> Int {
                try await ingest.call("POST", path, as: person, json: ["proof": proof], key: key).status
            }
            #expect(try await confirm(as: "ada", key: "4") == 403)
            #expect(try await confirm(as: "club", key: "5") == 403)
            #expect(try await confirm(as: "olga", "hearsay", key: "6") == 400)
            let waiting = try await ingest.call("GET", "/v1/contributors/claims", as: "olga")
            #expect(waiting.json["items"]?.arrayValue?.count == 1)
            #expect(try await ingest.call("GET", "/v1/contributors/claims", as: "eve").json["items"]?.arrayValue?.isEmpty == true)
            #expect(try await ingest.call("GET", "/v1/contributors/\(author)/items", as: "ada").status == 403)
            #expect(try await confirm(as: "olga", key: "7") == 200)
            #expect(try await confirm(as: "olga", key: "7") == 200)
            #expect(try await claim("Ada Byron", as: "eve", key: "8").status == 409)

            let items = try await ingest.call("GET", "/v1/contributors/\(author)/items", as: "ada").json["items"]?.arrayValue ?? []
            #expect(items.compactMap { $0["item"]?.stringValue } == ["\(id).1", "\(id).3"])
            #expect(try await ingest.call("GET", "/v1/contributors/\(author)/items", as: "eve").status == 403)
            let content = "/v1/contributions/\(id)/items/\(id)"
            #expect(try await ingest.call("GET", content + ".1/content", as: "ada").json["author"] == "Ada Byron")
            #expect(try await ingest.call("GET", content + ".2/content", as: "ada").status == 404, "that is Turing's")
            let export = try await ingest.call("GET", "/v1/contributors/ada/export", as: "ada")
            #expect(String(decoding: export.bytes, as: UTF8.self).contains("Note 2 says"))
            #expect(!String(decoding: export.bytes, as: UTF8.self).contains("Note 1 says"))

            // Items of theirs are taken back by the author, others' are not.
            func withdraw(_ item: Int, as person: String, key: String) async throws -> IngestHouse.Answer {
                try await ingest.call(
                    "POST", "/v1/contributions/\(id)/withdrawal", as: person, json: ["items": [.string("\(id).\(item)")]], key: key)
            }
            #expect(try await withdraw(2, as: "ada", key: "9").status == 403)
            #expect(try await withdraw(1, as: "ada", key: "10").status == 200)
            let all = try await ingest.call("POST", "/v1/contributions/\(id)/withdrawal", as: "ada", json: ["items": []], key: "11")
            #expect(all.status == 403)
        }
    }

    /// Who opens a Datanet and names somebody there can have the name confirmed by themselves, and gets no other Datanet's work by it.
    @Test func anAccountIsOfOneDatanetWhoseOwnerAloneConfirmsIt() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            try await ingest.createDatanet("dn_2", owner: "mallory")
            let (club, mallory) = (try IngestHouse.Person("club"), try IngestHouse.Person("mallory"))
            let real = try await ingest.contribute(club, "dn_1", Self.rows(["Ada Byron", "Ada Byron"]), kind: .onBehalf)
            let id = try #require(real["contribution"]?.stringValue)
            let planted = try await ingest.contribute(mallory, "dn_2", Self.rows(["Ada Byron"], from: 10), kind: .onBehalf)
            func claim(as person: String, _ datanet: JSONValue?, key: String) async throws -> IngestHouse.Answer {
                var body: JSONObject = ["name": "Ada Byron"]
                if let datanet { body["datanet"] = datanet }
                return try await ingest.call("POST", "/v1/contributors/claims", as: person, json: .object(body), key: key)
            }
            func confirm(_ claim: IngestHouse.Answer, as person: String, key: String) async throws -> Int {
                let path = "/v1/contributors/claims/\(claim.json["claim"]?.stringValue ?? "")/confirmation"
                return try await ingest.call("POST", path, as: person, json: ["proof": "vouched"], key: key).status
            }
            #expect(try await claim(as: "eve", nil, key: "1").status == 422, "several Datanets have the name")
            let wrong = try await claim(as: "eve", "dn_2", key: "2")
            #expect(try await confirm(wrong, as: "mallory", key: "3") == 200)
            let owners = try await ingest.items(real, club).compactMap { $0["owner"]?.stringValue }
            #expect(try await ingest.items(planted, mallory).first?["owner"]?.stringValue == wrong.json["author"]?.stringValue)
            #expect(Set(owners).count == 1 && owners.first != wrong.json["author"]?.stringValue)
            #expect(try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).1/content", as: "eve").status == 404)
            #expect(try await ingest.call("GET", "/v1/contributors/\(owners[0])/items", as: "eve").status == 403)
            let right = try await claim(as: "ada", "dn_1", key: "4")
            #expect(right.json["author"]?.stringValue == owners.first)
            #expect(try await confirm(right, as: "mallory", key: "5") == 403)
            #expect(try await confirm(right, as: "olga", key: "6") == 200)
            #expect(try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).1/content", as: "ada").status == 200)
        }
    }

    @Test func accountsTellWhichDatanetTheyAreOf() {
        let hash = String(repeating: "0a", count: 40)
        let account = AuthorRules.account(datanet: "dn_1", hash: hash)
        #expect(AuthorRules.isAccount(account, of: "dn_1") && !AuthorRules.isAccount(account, of: "dn"))
        let longer = AuthorRules.account(datanet: "dn_1_2", hash: hash)
        #expect(!AuthorRules.isAccount(longer, of: "dn_1"))
        #expect(AuthorRules.datanet(of: account) == "dn_1" && AuthorRules.datanet(of: longer) == "dn_1_2")
        for other in ["pr_1", "author_", "author_dn_1", "author_dn_1_xyz", ""] { #expect(AuthorRules.datanet(of: other) == nil) }
        let old = "author_" + hash.prefix(32)
        #expect(!AuthorRules.mayOwn(old, contributor: "club", datanet: "dn_1"))
        #expect(AuthorRules.mayOwn(account, contributor: "club", datanet: "dn_1"))
        #expect(!AuthorRules.mayOwn(account, contributor: "club", datanet: "dn_2"))
        #expect(!AuthorRules.mayOwn("eve", contributor: "club", datanet: "dn_1"))
    }

    @Test func anErasedAuthorIsNamedInVainAndWhoComesBackBeginsAnew() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let club = try IngestHouse.Person("club")
            let ada = try IngestHouse.Person("ada")
            let first = try await ingest.contribute(club, "dn_1", Self.rows(["Ada", "Alan"]), kind: .onBehalf)
            let id = try #require(first["contribution"]?.stringValue)
            let opened = try await ingest.call("POST", "/v1/contributors/claims", as: "ada", json: ["name": "Ada"], key: "claim")
            let author = try #require(opened.json["author"]?.stringValue)
            let path = "/v1/contributors/\(author)/erasure"
            #expect(try await ingest.call("POST", path, as: "ada", key: "early").status == 403)
            _ = try await ingest.call(
                "POST", "/v1/contributors/claims/\(opened.json["claim"]?.stringValue ?? "")/confirmation", as: "olga",
                json: ["proof": "vouched"], key: "grant")
            let receipt = try await ingest.call("POST", path, as: "ada", key: "gone")
            #expect(receipt.status == 200 && receipt.json["document"]?["owner"]?.stringValue == author)
            #expect(try await ingest.call("POST", path, as: "ada", key: "gone").json == receipt.json)
            #expect(try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).1/content", as: "club").status == 410)
            #expect(try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).2/content", as: "club").status == 200)

            // Rows that name the author are refused, the others of the same upload are kept.
            let second = try await ingest.contribute(club, "dn_1", Self.rows(["Ada", "Alan", "ADA"], from: 10), kind: .onBehalf)
            let items = try await ingest.items(second, club)
            #expect(items.map { $0["reasons"] } == [["consent.erased"], [], ["consent.erased"]])
            let name = try #require(second["contribution"]?.stringValue)
            let note = try await ingest.call("GET", "/v1/contributions/\(name)/items/\(name).1/content", as: "club")
            #expect(!String(decoding: note.bytes, as: UTF8.self).contains("Note 10"))

            // Somebody's own: erased, then brought anew under another key; an old command, repeated, reaches nothing of that.
            let own = try await ingest.contribute(ada, "dn_1", Self.rows(["x"], from: 20))
            let gone = try await ingest.call("POST", "/v1/contributors/ada/erasure", as: "ada", key: "own")
            #expect(gone.status == 200)
            let anew = try await ingest.contribute(ada, "dn_1", Self.rows(["x"], from: 30))
            #expect(anew["accepted"] == 1)
            #expect(try await ingest.call("POST", "/v1/contributors/ada/erasure", as: "ada", key: "own").json == gone.json)
            func content(_ contribution: JSONValue) async throws -> Int {
                let id = contribution["contribution"]?.stringValue ?? ""
                return try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).1/content", as: "ada").status
            }
            #expect(try await content(own) == 410)
            #expect(try await content(anew) == 200)
            let later = try await ingest.call("POST", "/v1/contributors/ada/erasure", as: "ada", key: "again")
            #expect(later.status == 200 && later.json["receipt"] != gone.json["receipt"])
            #expect(try await content(anew) == 410)
        }
    }

    @Test func imagesAreKeptWithWhatTheyAre() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1", media: "image")
            let ann = try IngestHouse.Person("ann")
            let png = MediaFixture.png()
            let files = [
                ("a.png", png), ("b.jpg", png), ("c.jsonl", Array("{}".utf8)), ("d.png", Array(png.dropLast(3))),
                ("e.tiff", MediaFixture.tiff(strip: 200_000, more: 200_000)),
            ]
            let done = try await ingest.contribute(ann, "dn_1", files)
            let id = try #require(done["contribution"]?.stringValue)
            #expect(
                try await ingest.items(done, ann).map { $0["reasons"] } == [[], ["media.wrong"], ["media.wrong"], ["row.malformed"], []])
            let note = try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).4/verdict", as: "ann")
            #expect(note.json["refused"]?["reason"] == "d.png: it is cut off")
            #expect(try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).5/metadata", as: "ann").json["width"] == 64)
            let metadata = try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).1/metadata", as: "ann")
            #expect(metadata.json["width"] == 256 && metadata.json["height"] == 128 && metadata.json["type"] == "image/png")
            #expect(metadata.json["bytes"]?.intValue == Int64(png.count))
            let content = try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).1/content", as: "ann")
            #expect(content.bytes == png && content.headers["Content-Type"] == "image/png")
            #expect(try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).2/metadata", as: "ann").status == 404)
            #expect(try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).1/metadata", as: "eve").status == 404)
        }
    }
}
