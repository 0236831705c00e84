import Crypto
import DatanetDomain
import DatanetService
import EventLog
import Events
import Foundation
import HTTP
import JSON
import LedgerService
import Money
import Postgres
import Projections
import ServiceShell
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing
import Threads

@Suite struct WholeWayTests {
    @Test func whoLetsThemselvesInToContributeSearchesNothingThatHasAPrice() async throws {
        try await withDatanets { house in
            for price in [0, 5] as [Int128] {
                var policy = DatanetPolicy.usual
                policy.price = Amount(price, try Asset("USDC/6"))
                let id = try await house.create(policy)
                let search = "/v1/datanets/\(id)/search?q=reentrancy"
                let joined = try await house.post(
                    "/v1/datanets/\(id)/members", as: "eve", ["principal": "eve", "role": "contributor"])
                #expect(joined.status == 201 || joined.status == 200)
                #expect(try await house.get(search, as: "eve").status == (price == 0 ? 200 : 403))
                _ = try await house.post("/v1/datanets/\(id)/grants", as: "olga", ["grantee": "eve", "purpose": "read"])
                #expect(try await house.get(search, as: "eve").status == 200)
            }
        }
    }

    @Test func whatWasScreenedIsAdmittedPublishedProvenAndRead() async throws {
        try await withDatanets { house in
            let id = try await house.create()
            house.contents["co_1", "b"] = "a reentrancy bug drained the vault"
            try await house.screen("co_1", id, [.item("a"), .item("b"), .item("c", cluster: "a", tokens: 7), .item("poor", quality: 3)])
            try await house.screen("co_2", id, by: "bob", [.item("d", owner: "bob", tokens: 50)])
            #expect(try await house.outcome(of: "co_1", id)["status"]?.stringValue == "admitted")
            _ = try await house.outcome(of: "co_2", id)

            let first = try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:])
            let second = try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:])
            #expect(first.status == 201 && first["root"] == second["root"] && second.json["number"]?.intValue == 2)
            let root = try #require(Digest(prefixed: first["root"]))

            // The list is what its hash says, and each item proves to be under the root.
            let list = try await house.get("/v1/snapshots/\(first["snapshot"])/list")
            #expect(SHA256.hash(list.bytes).prefixed == first["list"])
            for leaf in list.json.arrayValue ?? [] {
                let answer = try await house.get("/v1/snapshots/\(first["snapshot"])/proofs/\(leaf["item"]?.stringValue ?? "")").json
                let proof = InclusionProof(
                    index: UInt64(answer["index"]?.intValue ?? 0), size: UInt64(answer["size"]?.intValue ?? 0),
                    hashes: (answer["hashes"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap { Digest(prefixed: $0) } })
                try proof.verify(leaf: Merkle.leaf(try JSON.canonical(leaf)), root: root)
            }
            #expect(list.json.arrayValue?.count == 4)
            let manifest = try await house.get("/v1/snapshots/\(first["snapshot"])/manifest")
            #expect(SHA256.hash(manifest.bytes).prefixed == first["manifest"])
            #expect(manifest.json["conformsTo"]?.stringValue == "http://mlcommons.org/croissant/1.1")

            // Content goes to who has a grant, and every export is an event.
            let path = "/v1/datanets/\(id)/snapshots/1/items?purpose=read"
            #expect(try await house.get(path).status == 401)
            #expect(try await house.get(path, as: "acme").rule == "no-grant")
            let grant = try await house.post("/v1/datanets/\(id)/grants", as: "olga", ["grantee": "acme", "purpose": "read"])
            let export = try await house.get(path, as: "acme")
            let lines = try export.bytes.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
            #expect(lines.map { $0["item"] } == list.json.arrayValue?.map { $0["item"] })
            #expect(lines.first { $0["item"] == "b" }?["content"]?.stringValue == "a reentrancy bug drained the vault")
            let accesses = try await house.get("/v1/datanets/\(id)/accesses", as: "olga", after: export).json["items"]?.arrayValue ?? []
            #expect(accesses.map { $0["what"]?.stringValue } == ["used", "granted"])
            #expect(accesses.first?["data"]?["grant"]?.stringValue == grant["grant"] && accesses.first?["data"]?["items"]?.intValue == 4)
            _ = try await house.post("/v1/datanets/\(id)/grants/\(grant["grant"])/revocation", as: "olga", [:])
            #expect(try await house.get(path, as: "acme").rule == "no-grant")

            // Near-duplicates count for nothing on the leaderboard.
            let board = try await house.get("/v1/datanets/\(id)/leaderboard").json["items"]?.arrayValue ?? []
            #expect(board.map { $0["owner"]?.stringValue } == ["bob", "ann"] && board.map { $0["value"]?.intValue } == [50, 20])

            // Members search; what is taken back is found no more, and is gone from the next version.
            try await eventually("the text is found") {
                try await house.get("/v1/datanets/\(id)/search?q=reentrancy", as: "olga").json["items"]?.arrayValue?.count == 1
            }
            #expect(try await house.get("/v1/datanets/\(id)/search?q=reentrancy", as: "acme").status == 403)
            try await searchesAreAccesses(house, id)
            try await house.ingest(ContributionWithdrawn(contribution: "co_1", contributor: "ann", items: ["b"]), "contribution/co_1")
            try await eventually("the text is gone") {
                let found = try await house.get("/v1/datanets/\(id)/search?q=reentrancy", as: "olga").json["items"]?.arrayValue?.count
                let kept = try await house.house.database.count("select count(*) from datanet.texts where item = 'b'")
                return found == 0 && kept == 0
            }
            let third = try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:])
            #expect(third.json["items"]?.intValue == 3 && third["root"] != first["root"])
            let held = try await house.get("/v1/snapshots/\(first["snapshot"])/withdrawn").json
            let report = try await house.get("/v1/snapshots/\(first["snapshot"])/licences").json
            #expect(report["whole"]?["items"] == report["snapshot"]?["items"] && report["media"]?.stringValue == "text")
            #expect(report["withdrawn"]?["items"] == held["count"])
            let byLicence = (report["licences"]?.arrayValue ?? []).compactMap { $0["items"]?.intValue }
            #expect(byLicence.reduce(0, +) == report["whole"]?["items"]?.intValue)
            #expect(held["count"]?.intValue == 1 && held["items"]?.arrayValue?.first?["item"]?.stringValue == "b")
            let diff = try await house.get("/v1/snapshots/\(first["snapshot"])/diff/\(third["snapshot"])").json
            #expect(diff["removed_count"]?.intValue == 1 && diff["added_count"]?.intValue == 0 && diff["kept"]?.intValue == 3)
            // Both lists come in pages that hold each item once.
            let grown = "/v1/snapshots/\(third["snapshot"])/diff/\(first["snapshot"])?limit=1"
            #expect(try await house.get(grown).json["added"]?.arrayValue?.count == 1)
            try await house.ingest(ContributionWithdrawn(contribution: "co_1", contributor: "ann", items: ["a"]), "contribution/co_1")
            let taken = "/v1/snapshots/\(first["snapshot"])/withdrawn?limit=1"
            try await eventually("both are taken back") { try await house.get(taken).json["count"]?.intValue == 2 }
            let one = try await house.get(taken).json
            let cursor = try #require(one["next"]?.stringValue)
            let two = try await house.get(taken + "&cursor=\(cursor)").json
            #expect(Set([one, two].compactMap { $0["items"]?.arrayValue?.first?["item"]?.stringValue }) == ["a", "b"])
            #expect(two["next"] == nil)
            let old = try await house.get(path, as: "olga").bytes.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
            #expect(old.first { $0["item"] == "b" }?["withdrawn"]?.boolValue == true && old.count == 4)
            // What one has more than another: nothing here, and the other way round what was taken back.
            let number = third.json["number"]?.intValue ?? 0
            let later = "/v1/datanets/\(id)/snapshots/\(number)/items?purpose=read&since="
            let added = try await house.get(later + "1", as: "olga")
            #expect(added.status == 200 && added.bytes.isEmpty)
            #expect(try await house.get(later + "9", as: "olga").status == 404)
            let gone = try await house.get(path + "&since=\(number)", as: "olga").bytes.split(separator: 0x0A)
            #expect(gone.count == 1 && String(decoding: gone.first ?? [], as: UTF8.self).contains(#""item":"b""#))
        }
    }

    /// Each search is an event with what it showed and a commitment to its words, which who searched can open.
    private func searchesAreAccesses(_ house: DatanetHouse, _ id: String) async throws {
        let size = house.house.ledger.tail.size
        let asked = "q=reentrancy%20bug&limit=5"
        let search = try await house.get("/v1/datanets/\(id)/search?\(asked)", as: "olga")
        let hits = search.json["items"]?.arrayValue ?? []
        #expect(hits.count == 1 && house.house.ledger.tail.size == size + 1)
        #expect(search.headers["Cache-Control"] == "no-store")
        let accesses = try await house.get("/v1/datanets/\(id)/accesses", as: "olga", after: search).json["items"]?.arrayValue ?? []
        let noted = try #require(accesses.first)
        #expect(noted["what"] == "searched" && noted["principal"] == "olga" && noted["id"] == search.json["access"])
        let data = try #require(noted["data"])
        #expect(data["items"] == [["item": "b", "contribution": "co_1", "owner": hits.first?["owner"] ?? .null]])
        #expect(!String(decoding: JSON.write(noted), as: UTF8.self).contains("reentrancy"), "the words are not on the log")
        // SHA-256 over domain, salt and words.
        let salt = try #require(Hex.decode(search["salt"]))
        let opened = SHA256.hash(Array("openledger/search/v1\n".utf8) + salt + Array("reentrancy bug".utf8))
        #expect(data["query"]?.stringValue == opened.prefixed)
        // One that finds nothing is one too; the head alone, and who may not search, leave none.
        #expect(try await house.get("/v1/datanets/\(id)/search?q=nowhere", as: "olga").json["items"]?.arrayValue?.isEmpty == true)
        #expect(house.house.ledger.tail.size == size + 2)
        #expect(try await house.call("HEAD", "/v1/datanets/\(id)/search?q=nowhere", as: "olga").status == 200)
        #expect(try await house.get("/v1/datanets/\(id)/search?q=nowhere", as: "acme").status == 403)
        #expect(house.house.ledger.tail.size == size + 2)
    }

    /// Two houses with stores of their own, told the same contributions in another order.
    @Test func twoHousesThatKnowNothingOfEachOtherMakeTheSameRootOfTheSameItems() async throws {
        let brought: [(id: String, by: String, items: [ScreenedItem])] = [
            ("co_1", "ann", [.item("a"), .item("b", cluster: "a", tokens: 30)]),
            ("co_2", "bob", [.item("c", owner: "bob", licence: "MIT")]),
            ("co_3", "ann", (0..<250).map { .item("d\($0)", tokens: $0 + 1) }),
        ]
        let published = Lock<[[String]]>([])
        for order in [brought, brought.reversed()] {
            try await withDatanets { house in
                let id = try await house.create()
                for one in order {
                    try await house.screen(one.id, id, by: one.by, one.items)
                    _ = try await house.outcome(of: one.id, id)
                }
                let snapshot = try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:])
                #expect(snapshot.json["items"] == 253)
                published.withLock { $0.append([snapshot["root"], snapshot["list"]]) }
            }
        }
        let roots = published.withLock { $0 }
        #expect(roots.count == 2 && roots[0] == roots[1] && roots[0].allSatisfy { $0.hasPrefix("sha256:") })
    }

    @Test func ofASnapshotOnlyWhatItHasIsFound() async throws {
        try await withDatanets { house in
            let id = try await house.create()
            house.contents["co_1", "a"] = "a reentrancy bug drained the vault"
            house.contents["co_2", "b"] = "reentrancy after reentrancy after reentrancy"
            func found(_ more: String) async throws -> [String] {
                let hits = try await house.get("/v1/datanets/\(id)/search?q=reentrancy&limit=1" + more, as: "olga").json["items"]?
                    .arrayValue
                return (hits ?? []).compactMap { $0["item"]?.stringValue }
            }
            try await house.screen("co_1", id, [.item("a")])
            _ = try await house.outcome(of: "co_1", id)
            try await eventually("the text is found") { try await found("") == ["a"] }
            #expect(try await found("&of=snapshot") == [])
            let snapshot = try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:])
            #expect(snapshot.status == 201)
            try await house.screen("co_2", id, by: "bob", [.item("b", owner: "bob")])
            _ = try await house.outcome(of: "co_2", id)
            // The newer text has the word more often, and is the better hit.
            try await eventually("the newer text is found") { try await found("&of=admitted") == ["b"] }
            #expect(try await found("&of=snapshot") == ["a"])
            _ = try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:])
            #expect(try await found("&of=snapshot") == ["b"])
        }
    }

    /// Texts that are not to be had do not keep the others out of the search, however many they are.
    @Test func oneTextThatIsNotToBeHadKeepsNoOtherWaiting() async throws {
        try await withDatanets { house in
            let id = try await house.create()
            for number in 0..<200 { house.contents["co_1", "bad\(number)"] = DatanetHouse.Contents.trouble }
            for number in 0..<3 { house.contents["co_1", "good\(number)"] = "a reentrancy bug drained vault \(number)" }
            try await house.screen(
                "co_1", id, (0..<200).map { .item("bad\($0)") } + (0..<3).map { .item("good\($0)") })
            _ = try await house.outcome(of: "co_1", id)
            try await eventually("the others are found") {
                try await house.get("/v1/datanets/\(id)/search?q=reentrancy", as: "olga").json["items"]?.arrayValue?.count == 3
            }
            let logged = try await house.house.database.count(
                "select count(*) from pg_class where oid = 'datanet.texts'::regclass and relpersistence <> 'u'")
            #expect(logged == 0, "texts are content: they go into no write-ahead log")
        }
    }

    /// More than a service keeps in memory of an item: the bytes go through as they come.
    @Test func anImageOfSeventeenMebibytesIsExportedWhole() async throws {
        try await withDatanets { house in
            let id = try await house.create(media: "image")
            // The same three hundred bytes again and again, so that its text is known without making it anew.
            let block = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
            func repeated(_ bytes: [UInt8]) -> [UInt8] {
                var all: [UInt8] = []
                for _ in 0..<60_000 { all += bytes }
                return all
            }
            let image = repeated(block)
            let small: [UInt8] = [1, 2, 3, 4]
            house.contents.keep(image: image, contribution: "co_1", item: "large")
            house.contents.keep(image: small, contribution: "co_1", item: "small")
            try await house.screen("co_1", id, [.item("large"), .item("small"), .item("gone")])
            _ = try await house.outcome(of: "co_1", id)
            _ = try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:])
            try await house.ingest(ContributionWithdrawn(contribution: "co_1", contributor: "ann", items: ["gone"]), "contribution/co_1")
            try await eventually("one is taken back") { try await house.get("/v1/datanets/\(id)").json["items"]?.intValue == 2 }
            let export = try await house.get("/v1/datanets/\(id)/snapshots/1/items?purpose=read", as: "olga")
            let text = repeated(Array(Base64.encode(block).utf8))
            let lines = export.bytes.split(separator: 0x0A)
            let large = try #require(lines.first { $0.count > text.count })
            let start = try #require(Data(large).range(of: Data(text))?.lowerBound)
            let rest = try JSON.parse(Array(large.prefix(start) + large.dropFirst(start + text.count)))
            #expect(rest["item"] == "large" && rest["content"] == ["media_type": "image/png", "base64": ""])
            let others = try lines.filter { $0.count < text.count }.map { try JSON.parse(Array($0)) }
            #expect(others.count == 2)
            let whole = try #require(others.first { $0["item"] == "small" })
            #expect(whole["content"] == ["media_type": "image/png", "base64": .string(Base64.encode(small))])
            let gone = try #require(others.first { $0["item"] == "gone" })
            #expect(gone["withdrawn"]?.boolValue == true && gone["content"] == .null)
        }
    }

    @Test func droppedRowsAndAForgottenStateComeBackTheSame() async throws {
        try await withDatanets { house in
            let id = try await house.create()
            // More than an event holds: the lists go by the evidence store.
            try await house.screen("co_big", id, (0..<700).map { .item("i\($0)", owner: "o\($0 % 9)") })
            _ = try await house.outcome(of: "co_big", id)
            try await house.screen("co_2", id, by: "club", [.item("x", owner: "ann"), .item("y", owner: "bob")])
            _ = try await house.outcome(of: "co_2", id)
            let first = try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:])
            #expect(first.json["items"]?.intValue == 702)
            try await house.ingest(ContentErased(owner: "ann", items: [], receipt: SHA256.hash(utf8: "r")), "content/ann")
            let last = try await house.ingest(
                ContributionWithdrawn(contribution: "co_big", contributor: "ann", items: ["i3"]), "contribution/co_big")
            try await eventually("both are honoured") {
                try await house.get("/v1/datanets/\(id)").json["items"]?.intValue == 700
            }
            let second = try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:])
            #expect(second.json["items"]?.intValue == 700 && last > 0)
            _ = try await house.get("/v1/datanets/\(id)/snapshots", after: second)

            let client = house.house.ledger.client(for: .datanet)
            let rebuild = try ProjectionRebuild(
                try #require(try DatanetService.readModels(try house.house.context(.datanet)).first).projection, client: client,
                database: house.house.database.configuration)
            let report = try await rebuild.run(.compare)
            #expect(report.differences.values.allSatisfy { $0 == 0 }, "\(report.differences)")

            // The whole schema away, made again by the migration, filled by a service that starts with nothing.
            let before = try await house.house.database.rows(ofDatanet: ())
            house.running.cancel()
            await house.running.value
            try await house.house.database.remakeDatanetSchema()
            let again = try await DatanetService.open(try house.house.context(.datanet))
            try house.mount(again)
            let running = Task { await again.run() }
            defer { running.cancel() }
            let end = AppliedPosition(UInt64(house.house.ledger.tail.size) - 1)
            let filled = try await house.call("GET", "/v1/datanets", as: nil, position: end)
            #expect(filled.status == 200)
            let after = try await house.house.database.rows(ofDatanet: ())
            for (table, rows) in before { #expect(after[table] == rows, "\(table)") }
            let third = try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:])
            #expect(third["root"] == second["root"] && third["list"] == second["list"])
        }
    }
}

/// What answers look up.
@Suite struct RetrievalAccessTests {
    @Test func whatAnAnswerLooksUpIsAmongTheAccessesOfEachDatanet() async throws {
        try await withDatanets { house in
            let first = try await house.create(), second = try await house.create()
            func passage(_ item: String, _ datanet: String) -> RetrievedPassage {
                RetrievedPassage(datanet: datanet, item: item, owner: "ann", offset: 0, length: 9, cited: true)
            }
            func answer(_ id: String, _ passages: [RetrievedPassage]) async throws {
                let answer = InferenceCompleted(
                    inference: id, payer: "pia", actor: "bot", model: "olga/tides", version: 2, base: "tiny",
                    prompt: SHA256.hash(utf8: "p"), answer: SHA256.hash(utf8: "a"), inputTokens: 1, outputTokens: 1,
                    fee: Amount(1, try Asset("USDC/6")), runner: "r", passages: .entries(passages))
                try await house.tell(answer, "inference/\(id)", as: .agentGateway)
            }
            try await answer("in_1", [passage("a", first), passage("c", second), passage("b", first)])
            try await answer("in_2", [])
            func accesses(_ datanet: String, as reader: String) async throws -> [JSONValue] {
                let list = try await house.get("/v1/datanets/\(datanet)/accesses", as: reader).json["items"]?.arrayValue ?? []
                return list.filter { $0["what"] == "retrieved" }
            }
            try await eventually("the answer is among the accesses") {
                let (one, other) = (try await accesses(first, as: "olga").count, try await accesses(second, as: "olga").count)
                return one == 1 && other == 1
            }
            let found = try await accesses(first, as: "olga")
            #expect(found.first?["id"] == "in_1" && found.first?["principal"] == "bot")
            #expect(found.first?["data"]?["items"] == ["a", "b"] && found.first?["data"]?["model"] == "olga/tides")
            #expect(try await accesses(second, as: "olga").first?["data"]?["items"] == ["c"])
            // Officers see all; others what concerns themselves.
            #expect(try await accesses(second, as: "bot").count == 1)
            #expect(try await accesses(second, as: "eve").isEmpty)
        }
    }
}

extension TestDatabase {
    func count(_ sql: String) async throws -> Int64 {
        let connection = try await PostgresConnection.connect(configuration)
        let count = try await connection.execute(Statement(sql)).one().int(0)
        await connection.close()
        return count
    }

    /// All rows that are a fold of the log, as text.
    func rows(ofDatanet: Void) async throws -> [String: [String]] {
        let connection = try await PostgresConnection.connect(configuration)
        var all: [String: [String]] = [:]
        for table in [
            "datanets", "members", "contributions", "items", "withdrawals", "erasures", "snapshots", "reviews", "proposals", "accesses",
            "rulings",
        ] {
            all[table] = try await connection.execute(Statement("select t::text as row from datanet.\(table) t order by 1")).map {
                try $0.text("row")
            }
        }
        await connection.close()
        return all
    }

    func remakeDatanetSchema() async throws {
        let connection = try await PostgresConnection.connect(configuration)
        try await connection.executeScript("drop schema datanet cascade")
        let folder = TestInput.migrations + "/datanet"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            try await connection.executeScript(try String(contentsOfFile: folder + "/" + name, encoding: .utf8))
        }
        await connection.close()
    }
}
