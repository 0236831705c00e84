import Blobs
import Crypto
import Decisions
import EventLog
import Events
import Foundation
import HTTP
import Identity
import IngestDomain
import JSON
import Postgres
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing

@testable import IngestService

/// Uploads that end otherwise than well, and what is signed for them.
@Suite struct UploadTests {
    private static func rows(_ numbers: ClosedRange<Int>) -> [UInt8] {
        let rows = numbers.map {
            #"{"text":"Report \#($0) tells how harbour \#($0) keeps its lights burning when the storm of the year comes over the water."}"#
        }
        return Array((rows.joined(separator: "\n") + "\n").utf8)
    }

    private static func drafts(_ ingest: IngestHouse) throws -> Drafts {
        Drafts(pool: PostgresPool(try ingest.house.context(.ingest).database, options: PoolOptions(size: 1)))
    }

    @Test func aManifestIsSignedWithAKeyOfTheContributorAndCanBeHadToCheckIt() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let (ann, thief) = (try IngestHouse.Person("ann"), try IngestHouse.Person("ann"))
            let (key, other) = (DIDKey.text(for: ann.key.publicKey), DIDKey.text(for: thief.key.publicKey))
            let files = [("my file.jsonl", Self.rows(1...2))]
            // Nobody knows yet whose key it is.
            for kind in [Manifest.Kind.own, .onBehalf] {
                let unknown = try await ingest.begin(ann, try ingest.manifest(ann, "dn_1", files, kind: kind), isRegistered: false)
                #expect(unknown.status == 403 && unknown.json["detail"]?.stringValue?.contains("no key of ann") == true)
            }
            try await ingest.register(ann)
            #expect(try await ingest.begin(thief, try ingest.manifest(thief, "dn_1", files)).status == 403)
            let done = try await ingest.contribute(ann, "dn_1", files)
            let id = try #require(done["contribution"]?.stringValue)

            // Whoever may have the manifest verifies what stands on the log.
            let path = "/v1/contributions/\(id)/manifest"
            for reader in ["ann", "olga"] {
                let bytes = try await ingest.call("GET", path, as: reader).bytes
                #expect(SHA256.hash(bytes).prefixed == done["manifest"]?.stringValue)
                let signature = try #require(Base64URL.decode(done["signature"]?.stringValue ?? ""))
                let message = ContributionSubmitted.message(
                    datanet: "dn_1", contributor: "ann", kind: "own", supersedes: nil, manifest: SHA256.hash(bytes))
                #expect(try #require(DIDKey.publicKey(in: key)).isValid(signature: signature, for: message))
            }
            #expect(try await ingest.call("GET", path, as: "eve").status == 404)
            let log = try await ingest.house.context(.ingest).log.read(from: 0, limit: 1_000, wait: nil).events
            #expect(!log.contains { String(decoding: $0.bytes, as: UTF8.self).contains("my file") }, "names of files are content")

            // A key that was given up signs no more; the one in its place does.
            try await ingest.put(KeyRotated(principal: "ann", added: other, removed: key), "principal/ann", as: .agentGateway)
            #expect(try await ingest.begin(ann, try ingest.manifest(ann, "dn_1", files)).status == 403)
            #expect(try await ingest.begin(thief, try ingest.manifest(thief, "dn_1", files)).status == 201)
            #expect(try await ingest.call("POST", "/v1/contributors/ann/erasure", as: "ann", key: "gone").status == 200)
            #expect(try await ingest.call("GET", path, as: "olga").status == 410)
        }
    }

    /// Nobody uploads in vain to a Datanet that takes nothing more.
    @Test func aFullDatanetRefusesAContributionBeforeAnythingIsUploaded() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let ann = try IngestHouse.Person("ann")
            let done = try await ingest.contribute(ann, "dn_1", [("a.jsonl", Self.rows(1...2))])
            let id = try #require(done["contribution"]?.stringValue)
            let granted = AdmissionGranted(
                datanet: "dn_1", contribution: id,
                items: .evidence(SHA256.hash(utf8: "list"), count: IngestRules.mostItemsOfDatanet))
            try await ingest.put(granted, "admission/\(id)")
            let next = try ingest.manifest(ann, "dn_1", [("b.jsonl", Self.rows(3...4))])
            try await eventually("the Datanet to be known as full") {
                let refused = try await ingest.begin(ann, next)
                return refused.status == 409 && refused.json["type"]?.stringValue?.hasSuffix("datanet-full") == true
            }
            let whole = try await ingest.call(
                "POST", "/v1/contributions/\(id)/withdrawal", as: "ann", json: ["items": []], key: "back")
            #expect(whole.status == 200)
            #expect(try await ingest.begin(ann, next).status == 201)
        }
    }

    @Test func aFailedUploadIsBroughtAgainOrThrownAway() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let ann = try IngestHouse.Person("ann")
            let good = Self.rows(1...2)
            func failed() async throws -> String {
                let begun = try await ingest.begin(ann, try ingest.manifest(ann, "dn_1", [("a.jsonl", good)]))
                let id = try #require(begun.json["contribution"]?.stringValue)
                var bad = good
                bad[20] ^= 1
                try await send(id, bad)
                _ = try await ingest.call("POST", "/v1/contributions/\(id)/finish", as: "ann", key: "bad-\(id)")
                #expect(try await ingest.settled(id, ann)["state"] == "failed")
                return id
            }
            func send(_ id: String, _ bytes: [UInt8]) async throws {
                let sent = try await ingest.call(
                    "PATCH", "/v1/contributions/\(id)/files/0", as: "ann", bytes: bytes, headers: [("Upload-Offset", "0")])
                #expect(sent.status == 204)
            }
            let again = try await failed()
            let path = "/v1/contributions/\(again)"
            #expect(try await ingest.call("DELETE", path + "/files/0", as: "eve").status == 404)
            #expect(try await ingest.call("DELETE", path + "/files/0", as: "ann").status == 204)
            #expect(try await ingest.call("GET", path + "/files/0", as: "ann").json["offset"] == 0)
            try await send(again, good)
            #expect(try await ingest.call("POST", path + "/finish", as: "ann", key: "good").status == 202)
            #expect(try await ingest.settled(again, ann)["accepted"] == 2)
            // It is on the log: its command gets the same again, another does not, and it is no upload any more.
            #expect(try await ingest.call("POST", path + "/finish", as: "ann", key: "good").status == 202)
            #expect(try await ingest.call("POST", path + "/finish", as: "ann", key: "other").status == 409)
            #expect(try await ingest.call("DELETE", path, as: "ann").status == 409)

            let gone = try await failed()
            #expect(try await ingest.call("DELETE", "/v1/contributions/\(gone)", as: "eve").status == 404)
            #expect(try await ingest.call("DELETE", "/v1/contributions/\(gone)", as: "ann").status == 204)
            #expect(try await ingest.call("GET", "/v1/contributions/\(gone)", as: "ann").status == 404)
        }
    }

    @Test func anUploadThatNobodyComesBackToExpires() async throws {
        try await withIngest({ $0.uploadAge = .seconds(86_400) }) { ingest in
            try await ingest.createDatanet("dn_1")
            let ann = try IngestHouse.Person("ann")
            var ids: [String] = []
            for _ in 0..<2 {
                let begun = try await ingest.begin(ann, try ingest.manifest(ann, "dn_1", [("a.jsonl", Self.rows(1...2))]))
                ids.append(try #require(begun.json["contribution"]?.stringValue))
                _ = try await ingest.call(
                    "PATCH", "/v1/contributions/\(ids[ids.count - 1])/files/0", as: "ann", bytes: [1, 2, 3],
                    headers: [("Upload-Offset", "0")])
            }
            let drafts = try Self.drafts(ingest)
            _ = try await drafts.pool.execute(
                "update ingest.drafts set changed = changed - interval '2 days' where contribution = $1", [.text(ids[0])])
            var core = try await IngestService.open(try ingest.house.context(.ingest)).core
            core.uploadAge = .seconds(86_400)
            try await Upload(core: core).clearOld()
            #expect(try await drafts.draft(ids[0]) == nil)
            #expect(try await drafts.parts(ids[0], file: 0).isEmpty)
            #expect(try await drafts.parts(ids[1], file: 0).map(\.bytes) == [3])
            await drafts.pool.close()
            await core.drafts.pool.close()
        }
    }

    @Test func aDraftThatEndsItsScreeningEveryTimeFailsAtLast() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let ann = try IngestHouse.Person("ann")
            let begun = try await ingest.begin(ann, try ingest.manifest(ann, "dn_1", [("a.jsonl", Self.rows(1...2))]))
            let id = try #require(begun.json["contribution"]?.stringValue)
            let drafts = try Self.drafts(ingest)
            // As it is left by a program that ended while it screened it, so often.
            _ = try await drafts.pool.execute(
                "update ingest.drafts set state = 'queued', command = 'c', digest = $2, correlation = '', attempts = $3 where contribution = $1",
                [.text(id), .bytes(Digest.zero.bytes), .int(Int64(Screener.mostAttempts))])
            await drafts.pool.close()
            let bob = try IngestHouse.Person("bob")
            #expect(try await ingest.contribute(bob, "dn_1", [("b.jsonl", Self.rows(3...4))])["accepted"] == 2)
            let failed = try await ingest.settled(id, ann)
            #expect(failed["state"] == "failed" && failed["problem"]?.stringValue?.contains("came to no end") == true)
        }
        #expect(Screener.lasting(BlobError.tooLarge(what: "the evidence", limit: 64 << 20)) != nil)
        #expect(Screener.lasting(BlobError.server(operation: "GET", status: 503, code: "")) == nil)
    }

    /// Nobody's queue is another's.
    @Test func theNextDraftIsOfADatanetAndAContributorThatAreNotInHand() async throws {
        try await withServiceHouse { house in
            // Opened and not at work: nobody takes the drafts away.
            let service = try await IngestService.open(try house.context(.ingest))
            try house.mount([service.mount], grants: [IngestService.grants])
            let following = Task { await service.core.maker.run() }
            defer { following.cancel() }
            let ingest = IngestHouse(house: house)
            for id in ["dn_1", "dn_2"] { try await ingest.createDatanet(id) }
            let drafts = try Self.drafts(ingest)
            var ids: [String] = []
            let (ann, bob) = (try IngestHouse.Person("ann"), try IngestHouse.Person("bob"))
            for (person, datanet) in [(ann, "dn_1"), (ann, "dn_2"), (bob, "dn_1"), (bob, "dn_2")] {
                let begun = try await ingest.begin(person, try ingest.manifest(person, datanet, [("a.jsonl", Self.rows(1...2))]))
                ids.append(try #require(begun.json["contribution"]?.stringValue))
            }
            let end =
                #"update ingest.drafts set state = 'queued', command = 'c', digest = decode(repeat('00', 32), 'hex'), correlation = ''"#
            _ = try await drafts.pool.execute(Statement(end), [])
            func next(except: [String] = [], _ datanets: [String] = [], _ contributors: [String] = []) async throws -> String? {
                try await drafts.queued(except: except, datanets: datanets, contributors: contributors)?.contribution
            }
            #expect(try await next() == ids[0])
            #expect(try await next(except: [ids[0]]) == ids[1])
            #expect(try await next(except: [ids[0]], ["dn_1"], ["ann"]) == ids[3])
            #expect(try await next([], ["ann"]) == ids[2])
            #expect(try await next(["dn_1", "dn_2"]) == nil)
            await drafts.pool.close()
        }
    }

    @Test func rowsBeyondWhatAContributionHoldsAreNamedAndTheOthersKept() async throws {
        try await withIngest({ $0.mostItems = 5 }) { ingest in
            try await ingest.createDatanet("dn_1")
            let ann = try IngestHouse.Person("ann")
            let done = try await ingest.contribute(
                ann, "dn_1", [("a.jsonl", Self.rows(1...3)), ("b.jsonl", Self.rows(4...9)), ("c.jsonl", Self.rows(10...11))])
            let id = try #require(done["contribution"]?.stringValue)
            #expect(done["state"] == "done" && done["accepted"] == 4 && done["rejected"] == 1)
            let items = try await ingest.items(done, ann)
            #expect(items.map { $0["file"]?.intValue } == [0, 0, 0, 1, 1] && items.map { $0["row"]?.intValue } == [1, 2, 3, 1, 2])
            #expect(items.last?["reasons"] == ["row.too-many"])
            let verdict = try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).5/verdict", as: "ann").json
            let reason = verdict["refused"]?["reason"]?.stringValue ?? ""
            #expect(reason.contains("5 of b.jsonl from row 2 on, 2 of c.jsonl from row 1 on"), "\(reason)")
            #expect(verdict["file"] == 1 && verdict["row"] == 2)
        }
    }

    /// Who never contributed, and wrote in a panel or on a page, has that erased by the same call.
    @Test func whoOnlyWroteIsErasedToo() async throws {
        try await withIngest { ingest in
            let receipt = try await ingest.call("POST", "/v1/contributors/vera/erasure", as: "vera", key: "1")
            #expect(receipt.status == 200 && receipt.json["document"]?["method"] == "key-destroyed")
            let log = try await ingest.house.context(.ingest).log.read(from: 0, limit: 100, wait: nil).events
            #expect(log.contains { String(decoding: $0.bytes, as: UTF8.self).contains("content.erased") })
            #expect(try await ingest.call("POST", "/v1/contributors/vera/erasure", as: "vera", key: "2").json == receipt.json)
        }
    }
}
