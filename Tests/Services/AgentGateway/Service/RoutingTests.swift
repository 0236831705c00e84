import AgentGatewayService
import Crypto
import Events
import Foundation
import HTTP
import HTTPClient
import JSON
import Money
import ServiceTestSupport
import Testing
import TestSupport

@Suite struct RoutingTests {
    /// Two stub servers as backends, with a file that names them.
    private func withTwo(patience: String = "500ms", _ body: @Sendable (GatewayHouse, StubBackend, StubBackend) async throws -> Void)
        async throws
    {
        let (one, two) = (StubBackend("one"), StubBackend("two"))
        let folder = try TemporaryFolder("backends")
        let path = folder.path + "/backends.json"
        let backends: [JSONValue] = [one, two].map { stub in
            [
                "name": .string(stub.name), "kind": "runner", "url": .string("http://embedded/stub/\(stub.name)"), "slots": 1,
                "concurrency": 4, "runner": .string("paid-\(stub.name)"), "embeddings": ["tiny"],
            ]
        }
        try Data(JSON.write(["backends": .array(backends)])).write(to: URL(fileURLWithPath: path))
        let settings = [
            "OPENLEDGER_BACKENDS": path, "OPENLEDGER_BACKEND_PATIENCE": patience, "OPENLEDGER_MODEL_ALIASES": "gpt-mini=acme/defi",
        ]
        try await withGateway(settings: settings, more: [one.mount, two.mount]) { gateway in try await body(gateway, one, two) }
    }

    @Test func whatFailsOnOneBackendIsAnsweredByTheOtherAndThatOneIsPaid() async throws {
        try await withTwo { gateway, one, two in
            for failure in [StubBackend.Behaviour.refuses(503), .hangs, .breaksOff(after: 0), .nonsense(after: 0)] {
                one.behave(failure)
                let answer = try await gateway.ask(try gateway.person())
                #expect(answer.status == 200 && answer.text == "Yes", "\(failure)")
            }
            let runners = Set(try await gateway.completed().map(\.runner))
            #expect(runners == ["paid-two"] && gateway.standIns.released.isEmpty && one.asked > 0 && two.asked == 4)
            // A caller's own fault is not tried elsewhere.
            two.behave(.refuses(400))
            let refused = try await gateway.ask(try gateway.person())
            #expect(refused.status == 400 && refused.code == "model_refused" && gateway.standIns.released.count == 1)
        }
    }

    /// One that has too much to do is passed by; only when all have is the caller told so, and none of them is taken for one that is down.
    @Test func whatOneBackendHasNoRoomForGoesToTheOther() async throws {
        try await withTwo { gateway, one, two in
            let token = try gateway.person()
            one.behave(.refuses(429))
            for _ in 0..<6 { #expect(try await gateway.ask(token).status == 200) }
            #expect(one.asked > 3 && gateway.standIns.released.isEmpty)
            two.behave(.refuses(429))
            let busy = try await gateway.ask(token)
            #expect(busy.status == 429 && busy.code == "rate_limit_exceeded" && gateway.standIns.released.count == 1)
            one.behave(.answers)
            #expect(try await gateway.ask(token).status == 200)
        }
    }

    @Test func anAdapterIsBroughtInOnceAndFoundWhereItIs() async throws {
        try await withTwo { gateway, one, two in
            let adapter = SHA256.hash(utf8: "adapter")
            try await gateway.publish(try Terms.model("acme/tuned", adapter: adapter))
            let token = try gateway.person()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 { group.addTask { try await gateway.ask(token, [("model", "tiny:acme/tuned@1")]).status } }
                for try await status in group { #expect(status == 200) }
            }
            #expect(one.loads + two.loads == ["load \(adapter.prefixed)"])
            let operating = try gateway.house.token("root", scopes: ["backends:administer"])
            let report = try await gateway.call("GET", "/v1/inferences/backends", token: operating)
            let items = try #require(report.json["items"]?.arrayValue)
            #expect(items.compactMap { $0["adapters"]?.arrayValue?.first } == [.string("tiny:" + adapter.prefixed)])
            #expect(items.reduce(0) { $0 + ($1["misses"]?.intValue ?? 0) } >= 1)
            #expect(try await gateway.call("GET", "/v1/inferences/backends", token: token).status == 403)

            // In its one slot another takes its place, on whichever backend; the first is brought in again when it is asked for.
            for name in ["b", "c"] {
                try await gateway.publish(try Terms.model("acme/\(name)", adapter: SHA256.hash(utf8: name)))
                #expect(try await gateway.ask(token, [("model", .string("acme/\(name)"))]).status == 200)
            }
            #expect((one.loads + two.loads).count { $0.hasPrefix("unload") } == 1)
        }
    }

    @Test func aBackendThatIsDrainedGetsNothingNew() async throws {
        try await withTwo { gateway, one, two in
            let operating = try gateway.house.token("root", scopes: ["backends:administer"])
            let path = "/v1/inferences/backends/one/draining"
            #expect(try await gateway.call("POST", path, token: operating, ["draining": true]).status == 204)
            for _ in 0..<3 { #expect(try await gateway.ask(try gateway.person()).status == 200) }
            #expect(one.asked == 0 && two.asked == 3)
            #expect(
                try await gateway.call("POST", "/v1/inferences/backends/two/draining", token: operating, ["draining": true]).status == 204)
            let none = try await gateway.ask(try gateway.person())
            #expect(none.status == 503 && none.code == "overloaded")
            #expect(try await gateway.call("POST", path, token: operating, ["draining": false]).status == 204)
            #expect(try await gateway.ask(try gateway.person()).status == 200)
            #expect(
                try await gateway.call("POST", "/v1/inferences/backends/none/draining", token: operating, ["draining": true]).status == 404)
        }
    }

    @Test func anAliasStandsForItsModel() async throws {
        try await withTwo { gateway, _, _ in
            let answer = try await gateway.ask(try gateway.person(), [("model", "gpt-mini")])
            #expect(answer.status == 200 && answer.json["model"] == "acme/defi")
            let shown = try await gateway.call("GET", "/v1/models/gpt-mini", token: try gateway.person())
            #expect(shown.json["id"] == "gpt-mini" && shown.json["openledger"]?["model"] == "acme/defi")
            let listed = try await gateway.call("GET", "/v1/models", token: try gateway.person())
            #expect(listed.json["data"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == ["acme/defi", "gpt-mini"])
        }
    }

    @Test func aPrivateModelIsNotThereForOthers() async throws {
        try await withTwo { gateway, _, _ in
            let model = try Terms.model("acme/own", isPrivate: true)
            try await gateway.append(model, by: .training, stream: "model/acme-own")
            let owner = try gateway.person("acme")
            try await eventually("it is known") { try await gateway.call("GET", "/v1/models/acme/own", token: owner).status == 200 }
            #expect(try await gateway.ask(owner, [("model", "acme/own")]).status == 200)
            let eve = try gateway.person("eve")
            #expect(try await gateway.ask(eve, [("model", "acme/own")]).status == 404)
            #expect(try await gateway.call("GET", "/v1/models/acme/own", token: eve).status == 404)
        }
    }

    /// Embeddings wait for their turn as answers do, in the same places.
    @Test func embeddingsWaitForAPlaceAndOneIsPaidOnce() async throws {
        try await withTwo(patience: "20s") { gateway, one, two in
            for stub in [one, two] { stub.holdEmbeddings(true) }
            let token = try gateway.person()
            let asking = (0..<10).map { _ in
                Task { try await gateway.call("POST", "/v1/embeddings", token: token, ["model": "acme/defi", "input": "x"]).status }
            }
            let operating = try gateway.house.token("root", scopes: ["backends:administer"])
            // Two places short: nobody is refused, and no backend is given more than it takes.
            try await eventually("two wait") {
                try await gateway.call("GET", "/v1/inferences/backends", token: operating).json["waiting"] == 2
            }
            #expect(one.embedded == 4 && two.embedded == 4)
            for stub in [one, two] { stub.holdEmbeddings(false) }
            for task in asking { #expect(try await task.value == 200) }
            #expect(one.embedded + two.embedded == 10)
            let count = try await gateway.completed().count
            #expect(count == 10 && gateway.standIns.released.isEmpty)

            var request = gateway.request("POST", "/v1/embeddings", token: token, ["model": "acme/defi", "input": "x"])
            request.headers.set("Idempotency-Key", "mine")
            for status in [200, 409] {
                let response = try await gateway.house.transport.send(request)
                _ = try await response.body.collect(upTo: 1 << 20)
                #expect(response.status == status)
            }
            #expect(one.embedded + two.embedded == 11)
        }
    }

    @Test func textsAreEmbeddedAndPaidByTheirTokens() async throws {
        try await withTwo { gateway, one, _ in
            let answer = try await gateway.call(
                "POST", "/v1/embeddings", token: try gateway.person(), ["model": "acme/defi", "input": ["one", "two"]])
            try #require(answer.status == 200)
            #expect(answer.json["data"]?.arrayValue?.count == 2 && answer.json["model"] == "acme/defi")
            let inference = try #require(try await gateway.completed().first)
            #expect(inference.inputTokens == 4 && inference.outputTokens == 0 && inference.fee.units == 14)
            #expect(answer.json["openledger"]?["inference"] == .string(inference.inference))
            one.behave(.refuses(503))
            #expect(
                try await gateway.call("POST", "/v1/embeddings", token: try gateway.person(), ["model": "acme/defi", "input": "x"]).status
                    == 200)
            for input in [JSONValue.int(1), [], [true], ""] {
                let wrong = try await gateway.call(
                    "POST", "/v1/embeddings", token: try gateway.person(), ["model": "acme/defi", "input": input])
                #expect(wrong.status == 400, "\(input)")
            }
        }
    }
}
