import HTTPClient
import Events
import Crypto
import Foundation
import JSON
import ServiceTestSupport
import TestSupport
import Testing

@Suite struct VLLMTests {
    private func withVLLM(_ body: @Sendable (GatewayHouse, VLLMMock, String) async throws -> Void) async throws {
        let mock = VLLMMock()
        let folder = try TemporaryFolder("vllm")
        let path = folder.path + "/backends.json"
        let backend: JSONValue = [
            "name": "gpu", "kind": "vllm", "url": "http://embedded/vllm", "bases": ["tiny": "org/Tiny-1B"], "slots": 1,
            "adapters_here": .string(folder.path + "/adapters"),
        ]
        try Data(JSON.write(["backends": [backend]])).write(to: URL(fileURLWithPath: path))
        try await withGateway(settings: ["OPENLEDGER_BACKENDS": path], more: [mock.mount]) { gateway in
            try await body(gateway, mock, folder.path + "/adapters")
        }
    }

    @Test func adaptersAreLoadedAtRunTimeAskedAsModelsAndGiveWayToOthers() async throws {
        try await withVLLM { gateway, mock, folder in
            let token = try gateway.person()
            #expect(try await gateway.ask(token).text == "I am org/Tiny-1B")
            let (first, second) = (try mock.keep("one"), try mock.keep("two"))
            for (name, adapter) in [("acme/one", first), ("acme/two", second)] {
                try await gateway.publish(try Terms.model(name, adapter: adapter))
            }
            for _ in 0..<2 {
                let answer = try await gateway.ask(token, [("model", "acme/one")])
                #expect(answer.text == "I am \(first.hex)" && answer.json["usage"]?["completion_tokens"] == 4)
            }
            let file = folder + "/\(first.hex)/adapter_model.safetensors"
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "one")
            #expect(try await gateway.ask(token, [("model", "acme/two")]).text == "I am \(second.hex)")
            try await eventually("the first has left") { mock.log.contains("unload \(first.hex)") }
            #expect(mock.log.count { $0 == "load \(first.hex)" } == 1)
            let paid = try await gateway.completed()
            #expect(paid.map(\.adapter) == [nil, first, first, second] && paid.allSatisfy { $0.runner == "gpu" })
        }
    }

    @Test func aServerThatHasForgottenOrHasItAlreadyIsAnsweredAllTheSame() async throws {
        try await withVLLM { gateway, mock, _ in
            let token = try gateway.person()
            let adapter = try mock.keep("one")
            try await gateway.publish(try Terms.model("acme/one", adapter: adapter))
            #expect(try await gateway.ask(token, [("model", "acme/one")]).status == 200)
            mock.forget()
            #expect(try await gateway.ask(token, [("model", "acme/one")]).text == "I am \(adapter.hex)")
            #expect(mock.log.count { $0 == "load \(adapter.hex)" } == 2)
            // What no store has is refused, and its hold is free.
            try await gateway.publish(try Terms.model("acme/lost", adapter: SHA256.hash(utf8: "lost")))
            let lost = try await gateway.ask(token, [("model", "acme/lost")])
            #expect(lost.status == 502 && gateway.standIns.released.count == 1)
            #expect(try await gateway.completed().count == 2)
        }
    }

    @Test func anAdapterThatTheServerHasFromBeforeIsNoFault() async throws {
        try await withVLLM { gateway, mock, folder in
            let adapter = try mock.keep("one")
            let place = folder + "/" + adapter.hex
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            try Data("{}".utf8).write(to: URL(fileURLWithPath: place + "/adapter_config.json"))
            let load: JSONValue = ["lora_name": .string(adapter.hex), "lora_path": .string(place)]
            #expect(
                try await gateway.house.transport.send(gateway.request("POST", "/vllm/v1/load_lora_adapter", token: nil, load)).status
                    == 200)
            try await gateway.publish(try Terms.model("acme/one", adapter: adapter))
            #expect(try await gateway.ask(try gateway.person(), [("model", "acme/one")]).text == "I am \(adapter.hex)")
        }
    }
}
