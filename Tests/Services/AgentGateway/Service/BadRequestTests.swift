import Events
import HTTPClient
import JSON
import ServiceTestSupport
import TestSupport
import Testing

@Suite struct BadRequestTests {
    private static let message: JSONValue = ["role": "user", "content": "What moves the pool?"]

    /// Parameters that nobody means, with the status and the parameter that the answer names.
    private static let absurd: [(member: String, value: JSONValue, names: String)] = [
        ("model", .null, "model"), ("model", 7, "model"), ("model", "", "model"),
        ("model", .string(String(repeating: "m", count: 300)), "model"),
        ("messages", .null, "messages"), ("messages", "hello", "messages"), ("messages", [], "messages"), ("messages", [7], "messages.0"),
        ("messages", [["role": "user"]], "messages.0.content"), ("messages", [["role": "user", "content": 7]], "messages.0.content"),
        ("messages", [["role": "pirate", "content": "x"]], "messages.0.role"),
        ("messages", [["role": "user", "content": [["type": "image_url"]]]], "messages.0.content.0.type"),
        ("messages", .array(Array(repeating: message, count: 513)), "messages"),
        ("temperature", -0.1, "temperature"), ("temperature", 2.5, "temperature"), ("temperature", "hot", "temperature"),
        ("top_p", 1.5, "top_p"), ("top_p", -1, "top_p"), ("max_tokens", 0, "max_tokens"), ("max_tokens", -5, "max_tokens"),
        ("max_tokens", .int(.max), "max_tokens"), ("max_tokens", 1.5, "max_tokens"),
        ("max_completion_tokens", 100_000, "max_completion_tokens"),
        ("n", 0, "n"), ("n", 2, "n"), ("n", .int(.max), "n"), ("stop", ["a", "b", "c", "d", "e"], "stop"), ("stop", "", "stop"),
        ("stop", [7], "stop.0"), ("seed", "x", "seed"), ("seed", 1.5, "seed"), ("stream", "yes", "stream"),
        ("stream_options", 7, "stream_options"),
        ("stream_options", ["include_usage": "yes"], "stream_options.include_usage"),
    ]

    @Test func absurdParametersAreNamedAndCostNothing() async throws {
        try await withGateway { gateway in
            let token = try gateway.person()
            for (member, value, names) in Self.absurd {
                let answer = try await gateway.ask(token, [(member, value)])
                #expect(answer.status == 400, "\(member) \(value): \(answer)")
                #expect(answer.json["error"]?["param"] == .string(names), "\(member) \(value): \(answer)")
                #expect(answer.json["error"]?["type"] == "invalid_request_error", "\(member) \(value)")
            }
            for path in ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"] {
                for body in [
                    "", "{", "[]", "7", "null", "{\"model\": NaN}", "{\"model\":\"a\",\"model\":\"b\"}", String(repeating: "[", count: 999),
                ] {
                    var request = gateway.request("POST", path, token: token, .null)
                    request.body = .bytes(Array(body.utf8))
                    let response = try await gateway.house.transport.send(request)
                    let json = try JSON.parse(try await response.body.collect(upTo: 1 << 20))
                    #expect(response.status == 400 && json["error"]?["message"]?.stringValue != nil, "\(path) \(body.prefix(30))")
                }
                let large = JSONValue.string(String(repeating: "x", count: 5 << 20))
                let answer = try await gateway.call(
                    "POST", path, token: token, ["model": "acme/defi", "messages": large, "prompt": large, "input": large])
                #expect(answer.status == 413 && answer.json["error"] != nil, "\(path)")
            }
            #expect(gateway.standIns.holds.isEmpty && gateway.standIns.asked.isEmpty)
            #expect(try await gateway.completed().isEmpty)
        }
    }

    /// Clients of OpenAI's API try what there is not: they read that in their own shape, and everybody else in that of all other paths.
    @Test func whatThereIsNotIsSaidAsTheNearestPathsDo() async throws {
        try await withGateway { gateway in
            let token = try gateway.person()
            for (method, path, status) in [
                ("GET", "/v1/nothing", 404), ("POST", "/v1/images/generations", 404), ("POST", "/v1/responses", 404),
                ("POST", "/v1/chat/completionz", 404), ("GET", "/v1/chat/completions", 405), ("PUT", "/v1/models", 405),
                ("GET", "/v1/models/no%2Fsuch", 404),
            ] {
                let answer = try await gateway.call(method, path, token: token, method == "GET" ? .none : .object(JSONObject()))
                #expect(answer.status == status && answer.json["error"]?["message"]?.stringValue != nil, "\(path): \(answer)")
                #expect(answer.json["error"]?["type"] == "invalid_request_error" && answer.json["type"] == nil, "\(path)")
            }
            for (method, path, status) in [
                ("GET", "/v1/principals/ann/nothing/there", 404), ("PATCH", "/v1/keys/some", 405), ("GET", "/nothing", 404),
            ] {
                let answer = try await gateway.call(method, path, token: token)
                #expect(answer.status == status && answer.json["type"]?.stringValue?.hasPrefix("/problems/") == true, "\(path): \(answer)")
            }
        }
    }

    @Test func aConversationThatIsTooLongIsSaidSoAndItsHoldIsFree() async throws {
        let said: [JSONValue] = [
            ["error": ["code": "context_length_exceeded", "message": "too long"]],
            ["error": ["type": "exceed_context_size_error", "message": "the request exceeds the available context size"]],
            ["error": ["code": 400, "message": "This model's maximum context length is 1024 tokens."]],
            ["type": "/problems/context-length-exceeded", "detail": "it has 2000 tokens"],
        ]
        try await withGateway { gateway in
            for (number, words) in said.enumerated() {
                gateway.standIns.change { $0.refusalBody = (400, words) }
                let answer = try await gateway.ask(try gateway.person())
                #expect(answer.status == 400 && answer.code == "context_length_exceeded", "\(words): \(answer)")
                #expect(answer.json["error"]?["param"] == "messages")
                #expect(gateway.standIns.released.count == number + 1)
            }
            gateway.standIns.change { $0.refusalBody = (400, ["error": ["message": "no such thing"]]) }
            #expect(try await gateway.ask(try gateway.person()).code == "model_refused")
            #expect(try await gateway.completed().isEmpty)
        }
    }

    @Test func passagesGiveWayToAConversationThatIsLong() async throws {
        try await withGateway { gateway in
            try await gateway.publish(try Terms.model("acme/reader", retrieval: ["dn_1"]))
            gateway.standIns.change { contents in
                contents.found["dn_1"] = (0..<3).map { number -> JSONValue in
                    ["item": .string("it_\(number)"), "contribution": "ct_1", "owner": "olga"]
                }
                contents.items = ["it_0": "The first.", "it_1": "The second.", "it_2": "The third."]
                contents.mostPassages = 1
            }
            gateway.standIns.answer(["Yes"])
            let answer = try await gateway.ask(
                try gateway.person(), [("model", "acme/reader"), ("messages", [["role": "user", "content": "Which whales?"]])])
            #expect(answer.status == 200)
            let inference = try #require(try await gateway.completed().first)
            guard case .entries(let passages) = inference.passages else {
                Issue.record("the passages are not in the event")
                return
            }
            #expect(passages.map(\.item) == ["it_0"] && gateway.standIns.released.isEmpty)
        }
    }

    @Test func optionsReachTheModelAndThoseThatItDoesNotKnowAreNamed() async throws {
        try await withGateway { gateway in
            let token = try gateway.person()
            gateway.standIns.runner([
                .event(
                    #"{"choices":[{"delta":{"content":"The "},"logprobs":{"content":[{"token":"The ","logprob":-0.5}]}}]}"#),
                .event(
                    #"{"choices":[{"delta":{"content":"tides"},"logprobs":{"content":[{"token":"tides","logprob":-1.5}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#
                ), .event("[DONE]"),
            ])
            let options: [(String, JSONValue)] = [
                ("logprobs", true), ("top_logprobs", 2), ("top_k", 7), ("frequency_penalty", 0.5), ("presence_penalty", -0.5),
                ("repetition_penalty", 1.5),
            ]
            let answer = try await gateway.ask(token, options)
            let told = answer.json["choices"]?.arrayValue?.first?["logprobs"]?["content"]?.arrayValue
            #expect(told?.compactMap { $0["token"]?.stringValue } == ["The ", "tides"])
            let asked = try #require(gateway.standIns.asked.last)
            for (name, value) in options { #expect(asked[name] == value, "\(name)") }
            let stream = try await gateway.stream(token, options)
            #expect(stream.events.count { $0.contains(#""logprob":"#) } == 2)

            for (name, value): (String, JSONValue) in [
                ("logit_bias", ["5": 10]), ("response_format", ["type": "json_object"]),
                ("tools", [["type": "function", "function": ["name": "tide"]]]),
                ("top_logprobs", 2), ("frequency_penalty", 3), ("top_k", -1),
            ] {
                let refused = try await gateway.ask(token, [(name, value)])
                #expect(refused.status == 400 && refused.json["error"]?["param"] == .string(name), "\(name): \(refused)")
            }
            #expect(
                try await gateway.ask(token, [("response_format", ["type": "text"]), ("tools", []), ("logit_bias", [:])]).status == 200)
            #expect(gateway.standIns.released.count == 3)
        }
    }

    @Test func aModelServersWordsGoNoFurtherAndItsBusynessIsPassedOn() async throws {
        try await withGateway { gateway in
            let token = try gateway.person()
            for status in [400, 500] {
                gateway.standIns.change { $0.refusalBody = (status, ["error": ["message": "see http://10.0.0.7/secret"]]) }
                let answer = try await gateway.ask(token)
                #expect(!String(decoding: JSON.write(answer.json), as: UTF8.self).contains("10.0.0.7"), "\(answer)")
            }
            gateway.standIns.change { $0.refusalBody = (429, ["error": ["message": "slow down"]]) }
            for _ in 0..<5 {
                let busy = try await gateway.ask(token)
                #expect(busy.status == 429 && busy.code == "rate_limit_exceeded")
            }
            // It is not taken for one that is down.
            gateway.standIns.change { $0.refusalBody = nil }
            gateway.standIns.answer(["Yes"])
            #expect(try await gateway.ask(token).status == 200)
        }
    }
}
