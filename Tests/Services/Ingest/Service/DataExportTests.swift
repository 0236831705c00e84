import Crypto
import EventLog
import Events
import HTTP
import HTTPClient
import Identity
import IngestDomain
import IngestService
import JSON
import LedgerService
import ServiceTestSupport
import TestSupport
import Testing
import Web

@Suite("What is held of a contributor")
struct DataExportTests {
    @Test("a contributor takes everything out: contributions with their content, and every event that names them; nobody else may")
    func export() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1", licences: ["CC-BY-4.0"])
            let ann = try IngestHouse.Person("ann")
            let bob = try IngestHouse.Person("bob")
            let rows = #"{"prompt":"What is a lighthouse for?","completion":"It warns ships of rocks and shows them the way at night."}"#
            let own = try await ingest.contribute(ann, "dn_1", [("rows.jsonl", Array((rows + "\n").utf8))])
            _ = try await ingest.contribute(
                bob, "dn_1",
                [("rows.jsonl", Array(#"{"prompt":"Who?","completion":"Somebody quite else, who wrote this alone."}"#.utf8 + [10]))])
            let answer = try await ingest.call("GET", "/v1/contributors/ann/export", as: "ann")
            try #require(answer.status == 200, "\(String(decoding: answer.bytes, as: UTF8.self))")
            let lines = try answer.bytes.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
            func all(_ kind: String) -> [JSONValue] { lines.filter { $0["kind"]?.stringValue == kind } }
            #expect(lines.first?["type"]?.stringValue == "openledger/data-export/v1")
            #expect(all("contribution").count == 1)
            #expect(all("contribution").first?["contribution"]?["contribution"] == own["contribution"])
            let items = all("item")
            #expect(items.count == 1)
            let content = items.first?["content"] ?? .null
            let written = String(decoding: JSON.write(content), as: UTF8.self)
            #expect(written.contains("lighthouse"))
            let text = String(decoding: answer.bytes, as: UTF8.self)
            #expect(!text.contains("Somebody quite else"))
            let types = all("event").compactMap { $0["event"]?["type"]?.stringValue }
            #expect(types.contains(ContributionSubmitted.type) && types.contains(ContributionScreened.type))
            let end = try #require(lines.last)
            #expect(end["kind"]?.stringValue == "end" && end["items"]?.intValue == 1 && end["events"]?.intValue == Int64(types.count))

            #expect(try await ingest.call("GET", "/v1/contributors/ann/export", as: "bob").status == 403)
            // A second one goes, since the first is over.
            #expect(try await ingest.call("GET", "/v1/contributors/ann/export", as: "ann").status == 200)
        }
    }

    @Test("what other services hold is asked of them as the caller, and one that is away is named")
    func peers() async throws {
        try await withServiceHouse { house in
            let service = try await IngestService.open(try house.context(.ingest))
            let standIn = Mount(
                "stand-in",
                routes: [
                    Route(
                        .get, "/v1/principals/{principal}", operation: "standInPrincipal", summary: "A stand-in.", access: .authenticated,
                        replies: [.json(200, "Who asks.", .any)]
                    ) { .json(["subject": .string(try $0.caller.subject)]) },
                    Route(
                        .get, "/v1/accounts/{account}", operation: "standInAccount", summary: "A stand-in.", access: .authenticated,
                        replies: [.json(200, "An account.", .any)], problems: [.unavailable, .notFound]
                    ) { context in
                        switch context.path["account"] {
                        case "payer:ann": throw Problem(.unavailable, "away")
                        case "contributor:ann": return .json(["account": "contributor:ann", "assets": []])
                        default: throw Problem(.notFound, "none")
                        }
                    },
                ])
            try house.mount([service.mount, standIn], grants: [IngestService.grants])
            let running = Task { await service.run() }
            defer { running.cancel() }
            let ingest = IngestHouse(house: house)
            let answer = try await ingest.call("GET", "/v1/contributors/ann/export", as: "ann")
            let lines = try answer.bytes.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
            #expect(lines.compactMap { $0["kind"]?.stringValue } == ["export", "principal", "missing", "account", "end"])
            #expect(lines[1]["principal"]?["subject"]?.stringValue == "ann")
            #expect(lines[2]["path"]?.stringValue == "/v1/accounts/payer:ann")
        }
    }

    @Test("what was erased is named as erased")
    func erased() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1", licences: ["CC-BY-4.0"])
            let ann = try IngestHouse.Person("ann")
            let row = #"{"prompt":"What is a buoy?","completion":"A float that marks where the deep water ends and the shoal begins."}"#
            let own = try await ingest.contribute(ann, "dn_1", [("rows.jsonl", Array((row + "\n").utf8))])
            let id = try #require(own["contribution"]?.stringValue)
            let gone = try await ingest.call("POST", "/v1/contributions/\(id)/erasure", as: "ann", json: ["items": []], key: "erase")
            try #require(gone.status == 200, "\(String(decoding: gone.bytes, as: UTF8.self))")
            let answer = try await ingest.call("GET", "/v1/contributors/ann/export", as: "ann")
            let text = String(decoding: answer.bytes, as: UTF8.self)
            #expect(!text.contains("shoal") && text.contains(#""erased":true"#))
        }
    }
}
