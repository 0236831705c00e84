import Money
import ServiceShell
import ServiceTestSupport
import AgentGatewayDomain
import Blobs
import Crypto
import Events
import HTTPClient
import JSON
import TestSupport
import Testing

@Suite struct AnswerTests {
    @Test func aWholeAnswerIsHeldForCountedAndOnTheLogOnce() async throws {
        try await withGateway { gateway in
            let row = SHA256.hash(utf8: "row").prefixed
            gateway.standIns.answer(["The ", "tides", "."], input: 7, output: 3, row: row)
            let answer = try await gateway.ask(try gateway.person())
            try #require(answer.status == 200)
            #expect(answer.text == "The tides.")
            #expect(answer.json["usage"] == ["prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10])
            let all = try await gateway.completed()
            let inference = try #require(all.first)
            #expect(all.count == 1 && inference.inference == answer.json["id"]?.stringValue)
            #expect(inference.payer == "ann" && inference.actor == "ann" && inference.row?.prefixed == row)
            // 10 for the request, 1 a token of prompt, 2 a token of answer.
            #expect(inference.fee.units == 10 + 7 + 6 && inference.hold == "hd_1")
            let held = try #require(gateway.standIns.holds.first)
            #expect(gateway.standIns.holds.count == 1 && gateway.standIns.released.isEmpty)
            #expect(held["account"] == "payer:ann")
            // "What moves the pool?" has 20 bytes.
            #expect(held["amount"]?["amount"] == .string("\(10 + 20 + 32 + 40)"))
            let asked = try #require(gateway.standIns.asked.first)
            #expect(asked["model"] == "tiny" && asked["max_tokens"] == 20 && asked["stream"] == .bool(true))
        }
    }

    @Test func aStreamComesInOrderAndEndsWithTheUsageThatWasAskedFor() async throws {
        try await withGateway { gateway in
            let pieces = (0..<9).map { "p\($0) " }
            gateway.standIns.answer(pieces, finish: "length")
            let answer = try await gateway.stream(try gateway.person(), [("stream_options", ["include_usage": true])])
            try #require(answer.status == 200)
            #expect(answer.events.last == "[DONE]")
            let chunks = try answer.events.dropLast().map { try JSON.parse(Array($0.utf8)) }
            let id = try #require(try await gateway.completed().first).inference
            #expect(chunks.allSatisfy { $0["id"] == .string(id) && $0["object"] == "chat.completion.chunk" })
            let choices = chunks.compactMap { $0["choices"]?.arrayValue?.first }
            #expect(choices.first?["delta"]?["role"] == "assistant")
            #expect(choices.compactMap { $0["delta"]?["content"]?.stringValue }.filter { !$0.isEmpty } == pieces)
            #expect(choices.last?["finish_reason"] == "length")
            #expect(choices.dropLast().allSatisfy { $0["finish_reason"] == .null })
            let last = try #require(chunks.last)
            #expect(last["choices"] == [] && last["usage"]?["completion_tokens"] == 9)
            #expect(chunks.dropLast().allSatisfy { $0["usage"] == .null })

            let plain = try await gateway.stream(try gateway.person())
            #expect(plain.events.count == chunks.count && !plain.events.contains { $0.contains("\"usage\"") })
        }
    }

    @Test func anAnswerThatIsNoLongerRememberedIsReadFromTheLog() async throws {
        try await withGateway(settings: ["OPENLEDGER_REMEMBERED_ANSWERS": "1"]) { gateway in
            let token = try gateway.person()
            for text in ["one", "two", "three"] {
                gateway.standIns.answer([text], input: 7, output: 1)
                #expect(try await gateway.ask(token).status == 200)
            }
            let all = try await gateway.completed()
            #expect(all.count == 3)
            for (answer, text) in zip(all, ["one", "two", "three"]) {
                let path = "/v1/inferences/" + answer.inference
                let shown = try await gateway.call("GET", path, token: token)
                #expect(shown.status == 200 && shown.json["fee"] == answer.fee.json)
                #expect(try await gateway.call("GET", path + "/content", token: token).json["answer"]?.stringValue == text)
                #expect(try await gateway.call("GET", path, token: try gateway.person("bob")).status == 404)
            }
            #expect(try await gateway.call("GET", "/v1/inferences/inf_none", token: token).status == 404)
        }
    }

    @Test func refusalsHaveOpenAIsShape() async throws {
        try await withGateway { gateway in
            let token = try gateway.person()
            let unknown = try await gateway.ask(token, [("model", "acme/other")])
            #expect(unknown.status == 404 && unknown.code == "model_not_found")
            #expect(unknown.json["error"]?["type"] == "invalid_request_error" && unknown.json["error"]?["param"] == "model")
            #expect(try await gateway.call("GET", "/v1/models/acme/other", token: token).code == "model_not_found")
            #expect(try await gateway.call("POST", "/v1/chat/completions", token: nil, gateway.chat()).status == 401)
            #expect(try await gateway.ask(try gateway.house.token("eve", scopes: [])).status == 403)
            let wrong: [[(String, JSONValue)]] = [
                [("messages", [])], [("messages", [["role": "robot", "content": "x"]])], [("temperature", 3)], [("max_tokens", 0)],
                [("n", 2)], [("stop", ["1", "2", "3", "4", "5"])], [("messages", [["role": "user", "content": [["type": "image_url"]]]])],
            ]
            for more in wrong {
                let answer = try await gateway.ask(token, more)
                #expect(answer.status == 400 && answer.json["error"]?["message"]?.stringValue?.isEmpty == false, "\(more)")
            }
            #expect(gateway.standIns.holds.isEmpty && gateway.standIns.asked.isEmpty)

            for status in [402, 404, 409] {
                gateway.standIns.change { $0.noHold = status }
                let poor = try await gateway.ask(token)
                #expect(poor.status == 402 && poor.code == "insufficient_quota", "\(status)")
            }
            gateway.standIns.change { $0.noHold = 503 }
            #expect(try await gateway.ask(token).status == 503)
            #expect(gateway.standIns.asked.isEmpty)
            #expect(try await gateway.completed().isEmpty)
        }
    }

    /// For who has just paid the model begins while the next hold is placed: nothing of it is told, or left, when there is no hold.
    @Test func whoHasJustPaidHearsNothingWithoutAHold() async throws {
        try await withGateway { gateway in
            let token = try gateway.person()
            gateway.standIns.answer(["The tides."])
            #expect(try await gateway.ask(token).text == "The tides.")

            gateway.standIns.runner([StandIns.piece("The"), .waits])
            gateway.standIns.change { $0.noHold = 402 }
            let poor = try await gateway.ask(token)
            #expect(poor.status == 402 && poor.code == "insufficient_quota")
            // The model may or may not have heard of it; if it has, it is stopped.
            try await eventually("nobody listens to it") { gateway.standIns.abandoned == gateway.standIns.asked.count - 1 }
            let asked = gateway.standIns.asked.count
            #expect(try await gateway.ask(token).status == 402)
            #expect(gateway.standIns.asked.count == asked, "who could not pay is not trusted any more")

            gateway.standIns.change { $0.noHold = nil }
            gateway.standIns.answer(["The tides."])
            #expect(try await gateway.ask(token).status == 200)
            gateway.standIns.change { $0.refusal = 500 }
            let holds = gateway.standIns.holds.count
            #expect(try await gateway.ask(token).status == 502)
            #expect(gateway.standIns.holds.count == holds + 1 && gateway.standIns.released.count == 1)
            #expect(try await gateway.completed().count == 2)
        }
    }

    @Test func aRetiredModelIsAskedNoMore() async throws {
        try await withGateway { gateway in
            try await gateway.publish(try Terms.model(version: 2, request: 99))
            try await gateway.append(ModelRetired(model: "acme/defi", version: 2), by: .training, stream: "model/acme-defi")
            let token = try gateway.person()
            try await eventually("it is retired") { try await gateway.ask(token, [("model", "acme/defi@2")]).status == 404 }
            gateway.standIns.answer(["Yes"])
            #expect(try await gateway.ask(token).status == 200)
            #expect(try await gateway.completed().map(\.version) == [1])
        }
    }

    @Test func textsAreKeptForAsLongAsTheirPayerWishes() async throws {
        try await withGateway { gateway in
            let key = try Ed25519PrivateKey.generate()
            let owner = try #require(try await gateway.register("person", key).json["principal"]?.stringValue)
            let token = try gateway.house.token(owner, scopes: ["inferences:write", "inferences:read", "keys:write"])
            let path = "/v1/principals/\(owner)/"
            for wrong: JSONValue in [["retention_days": 0], ["retention_days": 4_000], ["retention_days": "7"]] {
                #expect([400, 422].contains(try await gateway.call("PUT", path + "retention", token: token, wrong).status))
            }
            let stranger = try gateway.house.token("eve", scopes: ["keys:write"])
            #expect(try await gateway.call("PUT", path + "retention", token: stranger, ["retention_days": 7]).status == 403)
            #expect(try await gateway.call("DELETE", path + "texts", token: stranger).status == 403)
            #expect(try await gateway.call("DELETE", path + "texts", token: token).status == 404)

            // Without a choice until they are erased; not stored, for a day; by the payer's choice.
            gateway.standIns.answer(["The tides."])
            #expect(try await gateway.ask(token).status == 200)
            #expect(try await gateway.ask(token, [("store", false)]).status == 200)
            #expect(try await gateway.call("PUT", path + "retention", token: token, ["retention_days": 7]).status == 204)
            #expect(try await gateway.call("GET", "/v1/principals/" + owner, token: token).json["retention_days"] == 7)
            #expect(try await gateway.ask(token).status == 200)
            let answers = try await gateway.completed()
            let now = try gateway.now()
            #expect(answers.map(\.keptUntil) == [nil, Retention.day(after: 1, from: now), Retention.day(after: 7, from: now)])

            func readable() async throws -> [Int] {
                var found: [Int] = []
                for answer in answers {
                    found.append(try await gateway.call("GET", "/v1/inferences/\(answer.inference)/content", token: token).status)
                }
                return found
            }
            #expect(try await readable() == [200, 200, 200])
            // The day on which the second one's key goes, which the service does by itself when it has come.
            let folder = try gateway.house.context(.agentGateway).folder + "/owners-until"
            let days = try await FolderKeyRecords.roots(in: folder)
            #expect(days == answers.compactMap(\.keptUntil))
            #expect(try await FolderKeyRecords.destroy(root: folder + "/" + (try #require(days.first))) == 1)
            #expect(try await readable() == [200, 410, 200])

            let erased = try await gateway.call("DELETE", path + "texts", token: token)
            #expect(erased.status == 200 && erased.json["receipts"]?.arrayValue?.count == 2)
            #expect(try await readable() == [410, 410, 410])
            #expect(try await gateway.ask(token).status == 200)
        }
    }

    @Test func textsAreReadByWhoAskedAndWhoPaidUntilTheyAreErased() async throws {
        try await withGateway { gateway in
            let (key, bot) = (try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate())
            let owner = try #require(try await gateway.register("person", key).json["principal"]?.stringValue)
            let agent = try #require(
                try await gateway.register("agent", bot, owner: (owner, key)).json["principal"]?.stringValue)
            gateway.standIns.answer(["The tides."])
            #expect(try await gateway.ask(try gateway.person(agent)).status == 200)
            let inference = try #require(try await gateway.completed().first)
            #expect(inference.payer == owner && inference.actor == agent)
            let path = "/v1/inferences/\(inference.inference)"
            let prompt: JSONValue = [["role": "user", "content": "What moves the pool?"]]
            for reader in [owner, agent] {
                let content = try await gateway.call("GET", path + "/content", token: try gateway.person(reader))
                #expect(content.json == ["prompt": prompt, "answer": "The tides."], "\(reader)")
                #expect(try await gateway.call("GET", path, token: try gateway.person(reader)).status == 200)
            }
            for suffix in ["", "/content"] {
                #expect(try await gateway.call("GET", path + suffix, token: try gateway.person("eve")).status == 404)
            }

            let context = try gateway.house.context(.agentGateway)
            let keys = try OwnerKeys(
                masters: [try MasterKey.loadOrCreate(context.folder + "/content.key")],
                records: try FolderKeyRecords(root: context.folder + "/owners"))
            let store = try SealedStore(
                blobs: try context.openBlobs(), keys: keys, space: "inferences", domain: CommitmentDomain("openledger/inference"))
            #expect(
                try await store.isCommitted(
                    owner: owner, item: inference.inference + ":answer", content: Array("The tides.".utf8), commitment: inference.answer))
            #expect(
                try await store.isCommitted(
                    owner: owner, item: inference.inference + ":prompt", content: JSON.write(prompt), commitment: inference.prompt))
            #expect(
                try await !store.isCommitted(
                    owner: owner, item: inference.inference + ":answer", content: Array("The tide.".utf8), commitment: inference.answer))
            _ = try await keys.destroy(owner: owner, time: "2026-11-01T00:00:00Z")
            #expect(try await gateway.call("GET", path + "/content", token: try gateway.person(owner)).status == 410)
            #expect(try await gateway.call("GET", path, token: try gateway.person(owner)).status == 200)

            // Who has erased everything may ask again; what was erased stays so.
            #expect(try await gateway.ask(try gateway.person(owner)).status == 200)
            let second = try #require(try await gateway.completed().last)
            #expect(second.inference != inference.inference)
            let again = try await gateway.call(
                "GET", "/v1/inferences/\(second.inference)/content", token: try gateway.person(owner))
            #expect(again.status == 200 && again.json["answer"] == "The tides.")
            #expect(try await gateway.call("GET", path + "/content", token: try gateway.person(owner)).status == 410)
        }
    }
}
