import Crypto
import EventLog
import Events
import HTTP
import HTTPClient
import JSON
import LedgerService
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing
import TrainingService
import Web

@testable import TrainingDomain

@Suite("What a model was made from")
struct OriginTests {
    private static let report: JSONValue = [
        "snapshot": ["published": "2026-11-01T00:00:00.000000Z"], "domain": "finance", "media": "text", "admission": "review",
        "publisher": "olga", "taken": ["CC0-1.0"], "contributions": 2, "whole": ["items": 3, "tokens": 70, "owners": 2],
        "licences": [
            ["licence": "CC-BY-4.0", "items": 1, "tokens": 30, "owners": 1], ["licence": "CC0-1.0", "items": 2, "tokens": 40, "owners": 2],
        ],
        "languages": [
            ["language": "de", "items": 1, "tokens": 30, "owners": 1], ["language": "en", "items": 2, "tokens": 40, "owners": 1],
        ],
        "withdrawn": ["items": 1, "tokens": 30, "owners": 1],
    ]

    private func origin(_ count: Int) throws -> ModelOrigin {
        var state = TrainingState()
        let snapshots = (1...count).map {
            SnapshotReference(datanet: "dn_\($0)", snapshot: "sn_\($0)", number: 1, root: SHA256.hash([UInt8($0)]))
        }
        try state.apply(
            .made(BaseModelRegistered(model: "base", owner: "house", artefact: SHA256.hash([1]), licence: "Apache-2.0", parameters: 9), 1))
        try state.apply(.made(ModelPublished.sample(snapshots), 2))
        let model = try #require(state.models["acme/defi"]?.first)
        return ModelOrigin(
            model: model, base: state.bases["base"], job: nil, sources: snapshots.map { .init(snapshot: $0, report: Self.report) })
    }

    @Test("the summary adds up what the snapshots say, and says what it does not know")
    func summary() throws {
        let json = TrainingSummary(try origin(2)).json
        let modality = try #require(json["general"]?["modalities"]?.arrayValue?.first)
        #expect(modality["modality"]?.stringValue == "text" && modality["tokens"]?.intValue == 140)
        #expect(modality["size"]?.stringValue == "less than 1 billion tokens")
        #expect(json["general"]?["languages"]?.arrayValue?.compactMap { $0["tokens"]?.intValue } == [60, 80])
        #expect(json["general"]?["depends_on"]?["licence"]?.stringValue == "Apache-2.0")
        #expect(json["sources"]?["other"]?.arrayValue?.count == 2 && json["sources"]?["crawled"]?.arrayValue?.isEmpty == true)
        #expect(json["processing"]?["rights_reservation"]?["withdrawn_since"]?.arrayValue?.count == 2)
        #expect(json["missing"]?.arrayValue?.isEmpty == false)
    }

    @Test("the card says what the log says, and no more")
    func card() throws {
        let text = ModelCard(try origin(2), record: nil).text
        #expect(text.hasPrefix("---\nlicense: apache-2.0\nbase_model: base\n") && text.contains("\n# acme/defi\n"))
        #expect(text.contains("| `dn_2` | 1 | `\(SHA256.hash([2]).prefixed)` | 3 | 70 | CC-BY-4.0, CC0-1.0 |"))
        #expect(!text.contains("## Training"), "no job is known")
        #expect(ModelCard.nats(5_910_049) == "5.9100" && ModelCard.nats(70_000) == "0.0700")
    }

    @Test("the licence report adds up what each licence covers")
    func licences() throws {
        let json = LicenceReport(try origin(2)).json
        let licences = try #require(json["licences"]?.arrayValue)
        #expect(licences.compactMap { $0["licence"]?.stringValue } == ["CC-BY-4.0", "CC0-1.0"])
        #expect(licences.compactMap { $0["items"]?.intValue } == [2, 4])
        #expect(json["base"]?["licence"]?.stringValue == "Apache-2.0")
    }

    @Test("both are open to everybody; a model that is not there is 404, and Datanets that are away are 503")
    func routes() async throws {
        try await withServiceHouse { house in
            let service = try await TrainingService.open(try house.context(.training))
            try house.mount([service.mount, Self.standIn], grants: [TrainingService.grants])
            let running = Task { await service.run() }
            defer { running.cancel() }
            try await Self.tell(
                BaseModelRegistered(model: "base", owner: "house", artefact: SHA256.hash([1]), licence: "MIT", parameters: 9), house, "base"
            )
            let snapshot = SnapshotReference(datanet: "dn_1", snapshot: "sn_1", number: 1, root: SHA256.hash([1]))
            try await Self.tell(ModelPublished.sample([snapshot]), house, "model")
            func get(_ path: String) async throws -> (Int, JSONValue) {
                let reply = try await house.transport.send(ClientRequest(url: "http://house" + path))
                return (reply.status, try JSON.parse(try await reply.body.collect(upTo: 1 << 20)))
            }
            try await eventually("the model is known") { try await get("/v1/adapters/acme/defi/licences").0 == 200 }
            let summary = try await get("/v1/adapters/acme/defi/training-summary?version=1")
            #expect(summary.0 == 200 && summary.1["general"]?["model"]?["name"]?.stringValue == "acme/defi")
            #expect(summary.1["sources"]?["other"]?.arrayValue?.first?["licences"]?.arrayValue?.count == 2)
            #expect(try await get("/v1/adapters/acme/none/training-summary").0 == 404)
            #expect(try await get("/v1/adapters/acme/defi/training-summary?version=2").0 == 404)
            #expect(try await get("/v1/adapters/acme/defi/training-summary?version=x").0 == 400)
            try house.mount([service.mount], grants: [TrainingService.grants])
            #expect(try await get("/v1/adapters/acme/defi/licences").0 == 503)
        }
    }

    private static var standIn: Mount {
        Mount(
            "stand-in",
            routes: [
                Route(
                    .get, "/v1/snapshots/{snapshot}/licences", operation: "standInLicences", summary: "A stand-in for datanet.",
                    access: .public, replies: [.json(200, "The report.", .any)]
                ) { _ in .json(report) }
            ])
    }

    private static func tell(_ data: some EventData, _ house: ServiceHouse, _ name: String) async throws {
        let event = Event(
            type: type(of: data).type, stream: try #require(StreamName(String(type(of: data).type.prefix { $0 != "." }) + "/" + name)),
            time: LedgerClock.system.now(), actor: "test", cause: .command(id: "test-" + name, digest: SHA256.hash([])), ordinal: 0,
            correlation: "test", data: data.json)
        _ = try await house.ledger.client(for: .training).append(.init(events: [try event.encoded()]))
    }
}

extension ModelPublished {
    fileprivate static func sample(_ snapshots: [SnapshotReference]) throws -> ModelPublished {
        let json = """
            {"model":"acme/defi","version":1,"owner":"acme","base":"base","snapshots":[],"retrieval":["dn_9"],
            "price":{"request":{"asset":"USDC/6","amount":"0"},"input":{"asset":"USDC/6","amount":"1"},"output":{"asset":"USDC/6","amount":"1"}},
            "split":{"owner":3000,"datanets":1000,"contributors":4500,"validators":500,"compute":1000},
            "attribution":{"rules":"attribution/1","spans":4000,"influence":4000,"retrieval":2000,"threshold":0,"cap":1000000000,
            "fallback":"tokens","minimum_span":8}}
            """
        var model = try ModelPublished(try JSON.parse(json).object())
        model.snapshots = snapshots
        return model
    }
}
