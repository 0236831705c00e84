import Events
import Foundation
import HTTP
import HTTPClient
import JSON
import Money
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing

/// Functions that a model asks its caller to call: passed on to servers that know them, and told as OpenAI's clients expect.
@Suite struct ToolTests {
    private static let tools: JSONValue = [
        [
            "type": "function",
            "function": ["name": "tide", "description": "The tide at a place", "parameters": ["type": "object"]],
        ]
    ]

    /// A server of OpenAI's API as the only backend, and what it was asked.
    private func withServer(
        _ behaviour: StubBackend.Behaviour, _ body: @Sendable (GatewayHouse, Seen) async throws -> Void
    ) async throws {
        let stub = StubBackend("tools")
        let seen = Seen()
        stub.behave(by: { json in
            seen.all.withLock { $0.append(json) }
            return behaviour
        })
        let folder = try TemporaryFolder("tools")
        let path = folder.path + "/backends.json"
        let backend: JSONValue = ["name": "tools", "kind": "openai", "url": "http://embedded/stub/tools"]
        try Data(JSON.write(["backends": [backend]])).write(to: URL(fileURLWithPath: path))
        try await withGateway(settings: ["OPENLEDGER_BACKENDS": path], more: [stub.mount]) { try await body($0, seen) }
    }

    private final class Seen: Sendable {
        let all = Mutex<[JSONValue]>([])
    }

    @Test func callsComeBackWholeAndAreMeteredAndKept() async throws {
        try await withServer(.calls) { gateway, asked in
            let token = try gateway.person()
            let options: [(String, JSONValue)] = [
                ("tools", Self.tools), ("tool_choice", "auto"), ("parallel_tool_calls", true),
            ]
            let answer = try await gateway.ask(token, options)
            try #require(answer.status == 200, "\(answer.json)")
            let choice = try #require(answer.json["choices"]?.arrayValue?.first)
            #expect(choice["finish_reason"] == "tool_calls" && choice["message"]?["content"]?.isNull == true)
            #expect(choice["message"]?["tool_calls"] == StubBackend.toolCalls)
            #expect(answer.json["usage"] == ["prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15])
            let sent = try #require(asked.all.withLock { $0.last })
            for (name, value) in options { #expect(sent[name] == value, "\(name)") }

            let completed = try #require(try await gateway.completed().last)
            #expect(completed.inputTokens == 9 && completed.outputTokens == 6 && completed.fee.units == 10 + 9 + 12)
            let kept = try await gateway.call("GET", "/v1/inferences/\(completed.inference)/content", token: token)
            #expect(try JSON.parse(Array((kept.json["answer"]?.stringValue ?? "").utf8)) == StubBackend.toolCalls)
            // Kept with the messages, because the model reads them as well.
            #expect(kept.json["tools"] == Self.tools && kept.json["prompt"]?.arrayValue?.isEmpty == false)
            #expect(kept.json["response_format"] == nil)
        }
    }

    @Test func callsComeInDeltasOfAStreamAndTheirResultsGoBack() async throws {
        try await withServer(.calls) { gateway, asked in
            let token = try gateway.person()
            let stream = try await gateway.stream(token, [("tools", Self.tools)])
            try #require(stream.status == 200 && stream.events.last == "[DONE]")
            let choices = try stream.events.dropLast().compactMap { try JSON.parse(Array($0.utf8))["choices"]?.arrayValue?.first }
            let deltas = choices.compactMap { $0["delta"]?["tool_calls"]?.arrayValue }.flatMap { $0 }
            #expect(deltas.first?["id"] == "call_a" && deltas.count == 4)
            let arguments = deltas.filter { $0["index"] == 0 }.compactMap { $0["function"]?["arguments"]?.stringValue }.joined()
            #expect(arguments == #"{"place":"Brest"}"# && choices.last?["finish_reason"] == "tool_calls")

            let messages: JSONValue = [
                ["role": "user", "content": "Tides?"],
                ["role": "assistant", "content": .null, "tool_calls": StubBackend.toolCalls],
                ["role": "tool", "tool_call_id": "call_a", "content": "high at noon"],
            ]
            #expect(try await gateway.ask(token, [("messages", messages), ("tools", Self.tools)]).status == 200)
            let sent = try #require(asked.all.withLock { $0.last }?["messages"]?.arrayValue)
            #expect(sent.count == 3 && sent[1]["tool_calls"] == StubBackend.toolCalls && sent[2]["tool_call_id"] == "call_a")
        }
    }

    @Test func whatBreaksOffAmongCallsIsPaidAsFarAsItCame() async throws {
        try await withServer(.callsBreakOff) { gateway, _ in
            let answer = try await gateway.ask(try gateway.person(), [("tools", Self.tools)])
            #expect(answer.status == 200 && answer.json["choices"]?.arrayValue?.first?["finish_reason"] == "length")
            let completed = try #require(try await gateway.completed().last)
            #expect(completed.outputTokens == 4 && completed.inputTokens == 0)
        }
    }

    /// A chunk that has words and a part of a call is one piece, and so one token at the least.
    @Test func whatCameTogetherIsCountedOnce() async throws {
        try await withServer(.callsWithWordsBreakOff) { gateway, _ in
            let answer = try await gateway.ask(try gateway.person(), [("tools", Self.tools)])
            #expect(answer.status == 200 && answer.text == "Let me see.")
            let completed = try #require(try await gateway.completed().last)
            #expect(completed.outputTokens == 2 && completed.cut == true)
        }
    }

    /// What an answer asked for is told again by any gateway, also one that did not give it.
    @Test func callsAreToldAgainByAnotherGateway() async throws {
        try await withServer(.calls) { gateway, asked in
            let token = try gateway.person()
            @Sendable func send() async throws -> GatewayHouse.Answer {
                var request = gateway.request("POST", "/v1/chat/completions", token: token, gateway.chat([("tools", Self.tools)]))
                request.headers.set("Idempotency-Key", "tides")
                let response = try await gateway.house.transport.send(request)
                return .init(status: response.status, json: try JSON.parse(try await response.body.collect(upTo: 1 << 20)))
            }
            let first = try await send()
            #expect(first.status == 200)
            try await gateway.withAnother { _ in
                let again = try await send()
                #expect(again.status == 200 && again.json["openledger"]?["repeated"] == true, "\(again.json)")
                #expect(again.json["choices"] == first.json["choices"])
                #expect(asked.all.withLock { $0.count } == 1)
            }
        }
    }

    @Test func toolsThatAreNoneAreRefusedByName() async throws {
        try await withServer(.answers) { gateway, asked in
            let token = try gateway.person()
            let named: JSONValue = ["type": "function", "function": ["name": "tide"]]
            for (options, param): ([(String, JSONValue)], String) in [
                ([("tools", "tide")], "tools"), ([("tools", [["type": "search"]])], "tools"),
                ([("tools", [["type": "function"]])], "tools"),
                ([("tools", [named]), ("tool_choice", "always")], "tool_choice"), ([("functions", [["name": "tide"]])], "functions"),
                (
                    [("messages", [["role": "assistant", "content": "x", "tool_calls": [["id": 5]]], ["role": "user", "content": "?"]])],
                    "messages"
                ),
            ] {
                let refused = try await gateway.ask(token, options)
                let said = refused.json["error"]?["param"]?.stringValue ?? ""
                #expect(refused.status == 400 && said.hasPrefix(param), "\(param): \(refused.json)")
            }
            #expect(try await gateway.ask(token, [("tools", [])]).status == 200 && asked.all.withLock { $0.count } == 1)
        }
    }
}
