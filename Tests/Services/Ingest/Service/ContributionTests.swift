import Blobs
import Crypto
import Events
import EventLog
import Foundation
import HTTP
import Identity
import IngestDomain
import JSON
import Postgres
import ServiceShell
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing
import Threads
import Web

@testable import IngestService

@Suite struct ContributionTests {
    private static func row(_ number: Int, _ more: String = "") -> String {
        #"{"prompt":"What does protocol \#(number) promise to those who lend?","completion":"It promises that lender \#(number) gets \#(number * 3) back before anybody else is paid.\#(more)"}"#
    }

    private static func file(_ rows: [String]) -> [UInt8] { Array((rows.joined(separator: "\n") + "\n").utf8) }

    @Test func aContributionIsScreenedAndEveryItemHasItsVerdict() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let rows = [
                Self.row(1), Self.row(2), "{broken", Self.row(1), Self.row(4, " Write to eve.adams@mailbox.org."),
                #"{"text":"All of this text is fine but for its licence, which nobody may use in commerce at all.","licence":"CC-BY-NC-4.0"}"#,
            ]
            let done = try await ingest.contribute(alice, "dn_1", [("a.jsonl", Self.file(rows))])
            #expect(done["state"] == "done" && done["items"] == 6 && done["accepted"] == 2 && done["rejected"] == 4)
            let items = try await ingest.items(done, alice)
            let reasons = items.map { $0["reasons"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
            #expect(reasons == [[], [], ["row.malformed"], ["duplicate.exact"], ["personal.mail"], ["licence.conflict"]])
            #expect(items[3]["cluster"] == items[0]["item"])
            let id = try #require(done["contribution"]?.stringValue)
            let content = try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).1/content", as: "alice")
            #expect(content.json["origin"]?["row"] == 1)
            let refused = try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).3/content", as: "alice")
            #expect(refused.json["refused"]?["reason"]?.stringValue?.isEmpty == false)
        }
    }

    /// Two hundred items are few enough for an event by their number, and too many by their bytes.
    @Test(arguments: [1, 100, 200, 201])
    func aContributionOfAnyLengthComesOnTheLog(count: Int) async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let done = try await ingest.contribute(alice, "dn_1", [("a.jsonl", Self.file((0..<count).map { Self.row($0) }))])
            #expect(done["items"]?.intValue == Int64(count))
            let items = try await ingest.items(done, alice)
            let id = try #require(done["contribution"]?.stringValue)
            #expect(items.last?["item"]?.stringValue == "\(id).\(count)")
            let content = try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).\(count)/content", as: "alice")
            #expect(content.json["origin"]?["row"]?.intValue == Int64(count))
            #expect(try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).\(count + 1)/content", as: "alice").status == 404)
        }
    }

    @Test func nothingOfTheContentStandsOnTheLogOrInTheFolder() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            _ = try await ingest.contribute(alice, "dn_1", [("secretname.jsonl", Self.file([Self.row(77)]))])
            let log = try ingest.house.context(.ingest).log
            let events = try await log.read(from: 0, limit: 100, wait: nil).events
            #expect(events.count == 4, "the Datanet, who alice is, what she submitted, and its verdicts")
            for event in events {
                let text = String(decoding: event.bytes, as: UTF8.self)
                #expect(!text.contains("promise") && !text.contains("secretname"))
            }
            let folder = ingest.house.folder
            for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
                guard let data = FileManager.default.contents(atPath: folder + "/" + path) else { continue }
                #expect(data.range(of: Data("promise".utf8)) == nil, "\(path)")
            }
        }
    }

    @Test func anUploadGoesOnWhereItBroke() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let bytes = Self.file((0..<50).map { Self.row($0) })
            let begun = try await ingest.begin(alice, try ingest.manifest(alice, "dn_1", [("a.jsonl", bytes)]))
            let id = try #require(begun.json["contribution"]?.stringValue)
            let path = "/v1/contributions/\(id)/files/0"
            func send(_ part: ArraySlice<UInt8>, at offset: Int) async throws -> IngestHouse.Answer {
                try await ingest.call("PATCH", path, as: "alice", bytes: Array(part), headers: [("Upload-Offset", "\(offset)")])
            }
            #expect(try await send(bytes[..<1000], at: 0).headers["Upload-Offset"] == "1000")
            let wrong = try await send(bytes[2000..<3000], at: 2000)
            #expect(wrong.status == 409 && wrong.headers["Upload-Offset"] == "1000")
            #expect(try await ingest.call("POST", "/v1/contributions/\(id)/finish", as: "alice", key: "early").status == 409)
            #expect(try await ingest.call("GET", path, as: "alice").json["offset"] == 1000)
            #expect(try await send(bytes[1000...], at: 1000).status == 204)
            #expect(try await send([1], at: bytes.count).status == 413)
            #expect(try await ingest.call("POST", "/v1/contributions/\(id)/finish", as: "alice", key: "late").status == 202)
            let done = try await ingest.settled(id, alice)
            #expect(done["items"] == 50)
            // The same command again: the same answer; another one: no.
            #expect(try await ingest.call("POST", "/v1/contributions/\(id)/finish", as: "alice", key: "late").status == 202)
            #expect(try await ingest.call("POST", "/v1/contributions/\(id)/finish", as: "alice", key: "again").status == 409)
        }
    }

    @Test func badSubmissionsAreRefusedWithTheirReason() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1", access: "invitation")
            try await ingest.createDatanet("dn_2")
            let alice = try IngestHouse.Person("alice")
            let file = [("a.jsonl", Self.file([Self.row(1)]))]
            #expect(try await ingest.begin(alice, try ingest.manifest(alice, "dn_0", file)).status == 404)
            #expect(try await ingest.begin(alice, try ingest.manifest(alice, "dn_1", file)).status == 403)
            #expect(try await ingest.begin(alice, try ingest.manifest(alice, "dn_2", file, supersedes: "ct_0")).status == 422)
            let manifest = try ingest.manifest(alice, "dn_2", file)
            let forged = try SignedManifest(manifest, key: try Ed25519PrivateKey.generate())
            let body: JSONValue = ["manifest": manifest.json, "signature": .string(Base64URL.encode(forged.signature))]
            let refused = try await ingest.call("POST", "/v1/contributions", as: "alice", json: body, key: "forged")
            #expect(refused.status == 400 && refused.json["detail"]?.stringValue?.contains("/signature") == true)
            let bob = try IngestHouse.Person("bob")
            let signed = try SignedManifest(manifest, key: alice.key)
            let stolen: JSONValue = ["manifest": manifest.json, "signature": .string(Base64URL.encode(signed.signature))]
            #expect(try await ingest.call("POST", "/v1/contributions", as: "bob", json: stolen, key: "stolen").status == 403)
            #expect(try await ingest.call("POST", "/v1/contributions", as: nil, json: stolen, key: "nobody").status == 401)
            // Another file than the manifest says.
            let begun = try await ingest.begin(bob, try ingest.manifest(bob, "dn_2", file))
            let id = try #require(begun.json["contribution"]?.stringValue)
            var other = file[0].1
            other[20] ^= 1
            _ = try await ingest.call(
                "PATCH", "/v1/contributions/\(id)/files/0", as: "bob", bytes: other, headers: [("Upload-Offset", "0")])
            _ = try await ingest.call("POST", "/v1/contributions/\(id)/finish", as: "bob", key: "f")
            let failed = try await ingest.settled(id, bob)
            #expect(failed["state"] == "failed" && failed["problem"]?.stringValue?.contains("SHA-256") == true)
        }
    }

    @Test func onlyTheContributorAndServicesWithTheScopeReadContent() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let done = try await ingest.contribute(alice, "dn_1", [("a.jsonl", Self.file([Self.row(1)]))])
            let id = try #require(done["contribution"]?.stringValue)
            let path = "/v1/contributions/\(id)/items/\(id).1/content"
            #expect(try await ingest.call("GET", path, as: "bob").status == 404)
            let reader: Set<String> = ["content:read", "contributions:read"]
            for path in [path, "/v1/contributions/\(id)/manifest", "/v1/contributions/\(id)"] {
                #expect(try await ingest.call("GET", path, as: "bob", scopes: reader).status == 404, "bob is no service")
            }
            #expect(try await ingest.call("GET", "/v1/contributions/\(id)", as: "bob").status == 404)
            #expect(try await ingest.call("GET", path, as: nil).status == 401)
            let peers = try ingest.house.context(.datanet).peers
            #expect(try await peers.call("GET", .ingest, path)["prompt"]?.stringValue?.isEmpty == false)
            await #expect(throws: PeerError.self) { try await ingest.house.context(.billing).peers.call("GET", .ingest, path) }
        }
    }

    @Test func namedAuthorsGetTheirOwnItemsUnderAnIDThatHidesTheirName() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let carol = try IngestHouse.Person("carol")
            let rows = [("Ada Byron", 1), ("ada byron", 2), ("Alan Turing", 3)].map { author, number in
                String(Self.row(number).dropLast()) + #","author":"\#(author)"}"#
            }
            let done = try await ingest.contribute(carol, "dn_1", [("a.jsonl", Self.file(rows))], kind: .onBehalf)
            let owners = try await ingest.items(done, carol).compactMap { $0["owner"]?.stringValue }
            #expect(owners.count == 3 && owners[0] == owners[1] && owners[0] != owners[2])
            #expect(owners.allSatisfy { $0.hasPrefix("author_") })
        }
    }

    /// Default is to refuse: whoever may only read or ask for answers brings nothing in and changes nothing.
    @Test func everyDoorThatChangesContributionsAsksForItsScope() async throws {
        let changing = Lock(0)
        try await withIngest({ core in
            changing.withLock { $0 = IngestRoutes(core: core).all.count { $0.method != .get } }
        }) { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let bytes = Self.file([Self.row(1)])
            let manifest = try ingest.manifest(alice, "dn_1", [("a.jsonl", bytes)])
            let begun = try await ingest.begin(alice, manifest)
            let id = try #require(begun.json["contribution"]?.stringValue)
            let signed = try SignedManifest(manifest, key: alice.key)
            let file = "/v1/contributions/\(id)/files/0"
            let doors: [(method: String, path: String, json: JSONValue?, bytes: [UInt8]?)] = [
                (
                    "POST", "/v1/contributions",
                    ["manifest": manifest.json, "signature": .string(Base64URL.encode(signed.signature))], nil
                ),
                ("PATCH", file, nil, bytes), ("DELETE", file, nil, nil), ("POST", "/v1/contributions/\(id)/finish", nil, nil),
                ("DELETE", "/v1/contributions/\(id)", nil, nil), ("POST", "/v1/contributors/claims", ["name": "Ada"], nil),
                ("POST", "/v1/contributors/claims/cl_1/confirmation", ["proof": "mail"], nil),
                ("POST", "/v1/contributions/\(id)/withdrawal", [:], nil), ("POST", "/v1/contributions/\(id)/erasure", [:], nil),
                ("POST", "/v1/contributors/alice/withdrawal", [:], nil), ("POST", "/v1/contributors/alice/erasure", nil, nil),
            ]
            #expect(changing.withLock { $0 } == doors.count, "a door of ingest is not tried here")
            for door in doors {
                for scopes: Set<String> in [[], ["inferences:write", "contributions:read"]] {
                    let answer = try await ingest.call(
                        door.method, door.path, as: "alice", json: door.json, bytes: door.bytes,
                        key: door.method == "POST" ? door.path : nil, headers: door.bytes == nil ? [] : [("Upload-Offset", "0")],
                        scopes: scopes)
                    #expect(answer.status == 403, "\(door.method) \(door.path): \(answer.status)")
                }
            }
            #expect(try await ingest.call("GET", file, as: "alice", scopes: []).json["offset"] == 0, "nothing came in")
            #expect(
                try await ingest.call("PATCH", file, as: "alice", bytes: bytes, headers: [("Upload-Offset", "0")]).status == 204)
        }
    }

    @Test func consentCanBeTakenBackAndContentErased() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let done = try await ingest.contribute(alice, "dn_1", [("a.jsonl", Self.file((1...4).map { Self.row($0) }))])
            let id = try #require(done["contribution"]?.stringValue)
            func post(_ path: String, _ items: [String], as name: String = "alice", key: String) async throws -> IngestHouse.Answer {
                try await ingest.call("POST", path, as: name, json: ["items": .array(items.map { .string($0) })], key: key)
            }
            let base = "/v1/contributions/\(id)"
            #expect(try await post(base + "/withdrawal", ["\(id).1"], as: "bob", key: "0").status == 403)
            // Nor does a key of hers that is for answers alone.
            for path in [base + "/withdrawal", base + "/erasure", "/v1/contributors/alice/withdrawal", "/v1/contributors/alice/erasure"] {
                let json: JSONValue = path.hasPrefix(base) ? ["items": [.string("\(id).1")]] : [:]
                let answer = try await ingest.call("POST", path, as: "alice", json: json, key: path, scopes: ["inferences:write"])
                #expect(answer.status == 403, "\(path)")
            }
            #expect(try await post(base + "/withdrawal", ["\(id).9"], key: "1").status == 404)
            #expect(try await post(base + "/withdrawal", ["\(id).1"], key: "2").json["withdrawn"] == [.string("\(id).1")])
            let receipt = try await post(base + "/erasure", ["\(id).2"], key: "3")
            #expect(receipt.status == 200)
            #expect(try await post(base + "/erasure", ["\(id).2"], key: "3").json == receipt.json, "the first receipt, for ever")
            #expect(try await ingest.call("GET", base + "/items/\(id).2/content", as: "alice").status == 410)
            #expect(try await ingest.call("GET", base + "/items/\(id).3/content", as: "alice").status == 200)
            let all = try await ingest.call("POST", "/v1/contributors/alice/erasure", as: "alice", key: "4")
            #expect(all.status == 200 && all.json["document"]?["method"] == "key-destroyed")
            #expect(try await ingest.call("POST", "/v1/contributors/alice/erasure", as: "bob", key: "5").status == 403)
            for number in 1...4 {
                #expect(try await ingest.call("GET", base + "/items/\(id).\(number)/content", as: "alice").status == 410)
            }
            #expect(try await ingest.items(done, alice).count == 4, "the verdicts stay")
            let document = try #require(all.json["document"])
            #expect(SHA256.hash(try JSON.canonical(document)).prefixed == all.json["receipt"]?.stringValue)
        }
    }

    @Test func duplicatesAreFoundAfterARestartToo() async throws {
        try await withServiceHouse { house in
            let ingest = IngestHouse(house: house)
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let bob = try IngestHouse.Person("bob")
            try await Self.running(house) {
                let done = try await ingest.contribute(alice, "dn_1", [("a.jsonl", Self.file([Self.row(1), Self.row(2)]))])
                #expect(done["accepted"] == 2, "\(done)")
            }
            try await Self.running(house) {
                let done = try await ingest.contribute(bob, "dn_1", [("b.jsonl", Self.file([Self.row(2), Self.row(3)]))])
                #expect(done["accepted"] == 1, "\(done)")
                let items = try await ingest.items(done, bob)
                #expect(items[0]["reasons"] == ["duplicate.exact"])
            }
        }
    }

    /// A process's life: the service is opened, and stopped when the work is done.
    private static func running(_ house: ServiceHouse, _ body: () async throws -> Void) async throws {
        let service = try await IngestService.open(try house.context(.ingest))
        try house.mount([service.mount], grants: [IngestService.grants])
        let task = Task { await service.run() }
        try await body()
        task.cancel()
        await task.value
    }

    @Test func aCrashAfterTheCommitLeavesOnlyTheUploadToClear() async throws {
        try await withServiceHouse { house in
            let ingest = IngestHouse(house: house)
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let files = [("a.jsonl", Self.file([Self.row(1)]))]
            var id = ""
            try await Self.running(house) {
                let done = try await ingest.contribute(alice, "dn_1", files)
                id = try #require(done["contribution"]?.stringValue)
                let drafts = Drafts(pool: PostgresPool(try house.context(.ingest).database, options: PoolOptions(size: 1)))
                // What is settled leaves nothing here: the names of its files are content.
                try await eventually("the draft to be cleared") { try await drafts.draft(id) == nil }
                // As the tables are between the two: its parts are gone, and it still waits.
                try await drafts.create(id, try SignedManifest(try ingest.manifest(alice, "dn_1", files), key: alice.key))
                #expect(try await drafts.queue(id, command: "c", digest: .zero, correlation: ""))
                _ = try await drafts.pool.execute(
                    "insert into ingest.parts (contribution, file, start, bytes, commitment) values ($1, 0, 0, 5, $2)",
                    [.text(id), .bytes(Digest.zero.bytes)])
                await drafts.pool.close()
            }
            try await Self.running(house) {
                let more = try await ingest.contribute(alice, "dn_1", [("b.jsonl", Self.file([Self.row(2)]))])
                #expect(more["accepted"] == 1)
                let drafts = Drafts(pool: PostgresPool(try house.context(.ingest).database, options: PoolOptions(size: 1)))
                #expect(try await drafts.draft(id) == nil)
                #expect(try await drafts.parts(id, file: 0).isEmpty)
                await drafts.pool.close()
            }
        }
    }

    @Test func anUploadThatCannotBeReadFailsAndHoldsUpNobody() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let rows = Self.file([Self.row(1)])
            let begun = try await ingest.begin(alice, try ingest.manifest(alice, "dn_1", [("a.jsonl", rows)]))
            let id = try #require(begun.json["contribution"]?.stringValue)
            let drafts = Drafts(pool: PostgresPool(try ingest.house.context(.ingest).database, options: PoolOptions(size: 1)))
            // A part that the store does not have.
            #expect(try await drafts.add(id, file: 0, Part(start: 0, bytes: rows.count, commitment: SHA256.hash([1]))))
            await drafts.pool.close()
            #expect(try await ingest.call("POST", "/v1/contributions/\(id)/finish", as: "alice", key: "end").status == 202)
            let other = try await ingest.contribute(alice, "dn_1", [("b.jsonl", Self.file([Self.row(2)]))])
            #expect(other["accepted"] == 1)
            let failed = try await ingest.settled(id, alice)
            #expect(failed["state"] == "failed" && failed["problem"]?.stringValue?.contains("begin the contribution anew") == true)
        }
    }

    @Test func theRulesAreThereForEverybody() async throws {
        try await withIngest { ingest in
            let rules = try await ingest.call("GET", "/v1/contributions/screening-rules", as: nil)
            #expect(rules.status == 200 && rules.json["version"] == "screening/5")
        }
    }
}
