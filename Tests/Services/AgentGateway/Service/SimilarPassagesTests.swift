import Blobs
import Crypto
import Events
import Foundation
import HTTPClient
import JSON
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing

@Suite struct SimilarPassagesTests {
    private func item(_ name: String, owner: String = "pia") -> AdmittedItem {
        AdmittedItem(
            item: name, contribution: "ct_" + name, owner: owner, commitment: SHA256.hash(utf8: name), tokens: 5, licence: "MIT",
            language: "en", cluster: name)
    }

    private func publish(_ items: [AdmittedItem], number: Int, _ gateway: GatewayHouse) async throws {
        let list = try EvidenceList<AdmittedItem>.encode(items)
        let reference = try await gateway.house.context(.datanet).openEvidence().put(canonical: list)
        try await gateway.append(
            SnapshotPublished(
                datanet: "dn_1", snapshot: "sn_\(number)", number: number, root: .zero, manifest: .zero, items: items.count, tokens: 5,
                owners: 1, list: reference.hash), by: .datanet, stream: "snapshot/sn_\(number)")
    }

    private func withEmbeddings(_ body: @Sendable (GatewayHouse, EmbeddingBackend) async throws -> Void) async throws {
        let backend = EmbeddingBackend()
        let folder = try TemporaryFolder("embeddings")
        let path = folder.path + "/backends.json"
        let sites: JSONValue = [
            "backends": [
                ["name": "runner", "kind": "runner", "url": "http://embedded/runner"],
                [
                    "name": "embedder", "kind": "openai", "url": "http://embedded/embedder", "bases": ["embed": "their-embed"],
                    "embeddings": ["embed"],
                ],
            ]
        ]
        try Data(JSON.write(sites)).write(to: URL(fileURLWithPath: path))
        let settings = ["OPENLEDGER_BACKENDS": path, "OPENLEDGER_RETRIEVAL_EMBEDDINGS": "embed"]
        try await withGateway(settings: settings, more: [backend.mount]) { gateway in try await body(gateway, backend) }
    }

    private func passages(_ gateway: GatewayHouse, _ question: String) async throws -> (RetrievalRanking?, [RetrievedPassage]) {
        let before = try await gateway.completed().count
        gateway.standIns.answer(["Yes."])
        let answer = try await gateway.ask(
            try gateway.person(), [("model", "acme/reader"), ("messages", [["role": "user", "content": .string(question)]])])
        try #require(answer.status == 200)
        let inference = try #require(try await gateway.completed().dropFirst(before).first)
        guard case .entries(let passages) = inference.passages else { return (inference.retrieval, []) }
        return (inference.retrieval, passages)
    }

    @Test func passagesAreFoundByMeaningTooAndTheLogSaysHow() async throws {
        try await withEmbeddings { gateway, backend in
            gateway.standIns.change { contents in
                contents.items = [
                    "it_0": "The lunar pull lifts the ocean.", "it_1": "A loaf from the bakery.", "it_2": "Count your cash.",
                    "it_3": "The moon is a satellite.", "it_4": "Anything at all.",
                ]
                contents.found["dn_1"] = ["it_1", "it_0"].map {
                    ["item": .string($0), "contribution": .string("ct_" + $0), "owner": "pia"]
                }
            }
            try await publish((0..<5).map { item("it_\($0)") }, number: 1, gateway)
            try await gateway.publish(try Terms.model("acme/reader", retrieval: ["dn_1"]))
            try await eventually("all is embedded") { backend.embedded.count >= 5 }
            // It may be a moment before the last are found.
            var last: (RetrievalRanking?, [RetrievedPassage]) = (nil, [])
            try await eventually("what was embedded is found") {
                last = try await passages(gateway, "What has the moon to do with the tide?")
                return last.0 != nil && last.1.contains { $0.item == "it_3" }
            }
            #expect(last.0 == RetrievalRanking(rule: "retrieval/2", embeddings: "embed"))
            // it_0 is the likest and second by words; it_3 is like it and has none of the words; it_1 has words alone.
            #expect(last.1.map(\.item) == ["it_0", "it_1", "it_3"])
            #expect(last.1.map(\.textRank) == [2, 1, nil] && last.1.map(\.similarityRank) == [1, nil, 2])
            // Each item once, however often it was asked for.
            #expect(backend.embedded.filter { $0.hasPrefix("A loaf") }.count == 1)

            // What was taken back is not found by its meaning any more.
            try await gateway.append(
                ContributionWithdrawn(contribution: "ct_it_3", contributor: "pia", items: []), by: .ingest, stream: "contribution/ct_it_3")
            try await eventually("it is gone") {
                try await passages(gateway, "What has the moon to do with the tide?").1.map(\.item) == ["it_0", "it_1"]
            }
            try await eventually("its embedding is gone") {
                try await gateway.house.database.sql("select count(*) from agent_gateway.embeddings") == "4"
            }

            // Without its embedding a question is answered by words alone, as where there is no model.
            backend.fail(503)
            let (ranking, found) = try await passages(gateway, "What has the moon to do with the tide?")
            #expect(ranking == nil && found.map(\.item) == ["it_1", "it_0"] && found.allSatisfy { $0.textRank == nil })
        }
    }

    @Test func anotherModelsEmbeddingsTakeThePlaceOfTheOld() async throws {
        try await withEmbeddings { gateway, backend in
            gateway.standIns.change { contents in
                contents.items = ["it_0": "The lunar pull.", "it_1": "Bread."]
                contents.found["dn_1"] = []
            }
            try await gateway.publish(try Terms.model("acme/reader", retrieval: ["dn_1"]))
            try await publish([item("it_0")], number: 1, gateway)
            try await eventually("it is found") { try await passages(gateway, "The moon?").1.map(\.item) == ["it_0"] }
            backend.grow()
            try await publish([item("it_0"), item("it_1")], number: 2, gateway)
            try await eventually("both are found") {
                let moon = try await passages(gateway, "The moon?").1.map(\.item)
                let loaf = try await passages(gateway, "Which loaf?").1.map(\.item)
                return moon == ["it_0"] && loaf == ["it_1"]
            }
        }
    }

    @Test func aModelThatNoBackendEmbedsWithIsRefusedAtTheStart() async throws {
        await #expect(throws: (any Error).self) {
            try await withGateway(settings: ["OPENLEDGER_RETRIEVAL_EMBEDDINGS": "embed"]) { _ in }
        }
    }
}
