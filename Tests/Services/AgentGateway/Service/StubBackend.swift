import Events
import HTTP
import JSON
import Synchronization
import Web

/// A model server that does what a test says, however bad, under `/stub/<name>`.
final class StubBackend: Sendable {
    enum Behaviour: Sendable {
        /// `Yes`, with the right usage.
        case answers
        /// Another usage than it should.
        case lies(input: Int, output: Int)
        /// No usage at all.
        case forgetsUsage
        /// A status.
        case refuses(Int)
        /// Nothing, for ever.
        case hangs
        /// So many pieces, then nothing for ever.
        case hangsMidway(after: Int)
        /// The connection ends after so many pieces.
        case breaksOff(after: Int)
        /// What is no event stream of chunks, after so many pieces.
        case nonsense(after: Int)
        /// Never stops.
        case babbles
        /// Asks for two calls, in four pieces; and the same with the connection ending after them.
        case calls
        case callsBreakOff
        /// Two chunks, each with words and a part of a call in it, then the connection ends.
        case callsWithWordsBreakOff
    }

    /// The calls that are asked for.
    static let toolCalls: JSONValue = [
        ["id": "call_a", "type": "function", "function": ["name": "tide", "arguments": #"{"place":"Brest"}"#]],
        ["id": "call_b", "type": "function", "function": ["name": "tide", "arguments": "{}"]],
    ]

    private struct State {
        var behaviour = Behaviour.answers
        var choose: (@Sendable (JSONValue) -> Behaviour)?
        var asked = 0
        var loads: [String] = []
        var embedded = 0
        var holdsEmbeddings = false
    }

    let name: String
    private let state = Mutex(State())

    init(_ name: String) { self.name = name }

    var asked: Int { state.withLock { $0.asked } }
    var loads: [String] { state.withLock { $0.loads } }
    /// Embeddings that were asked for.
    var embedded: Int { state.withLock { $0.embedded } }

    /// Lets embeddings wait, or go on.
    func holdEmbeddings(_ holds: Bool) { state.withLock { $0.holdsEmbeddings = holds } }

    func behave(_ behaviour: Behaviour) { state.withLock { $0.behaviour = behaviour } }

    /// Behaves by what it is asked.
    func behave(by choose: @escaping @Sendable (JSONValue) -> Behaviour) { state.withLock { $0.choose = choose } }

    private struct Broken: Error {}

    var mount: Mount { Mount("stub-" + name, routes: [chat, load(""), load("/unload"), embed]) }

    private var chat: Route {
        Route(
            .post, "/stub/\(name)/v1/chat/completions", operation: "stubChat" + name, summary: "A stub.", access: .authenticated,
            body: .json(.openObject(), limit: 8 << 20), replies: [.events("Chunks.")], problems: [.unavailable]
        ) { [self] context in
            let behaviour = state.withLock { state in
                state.asked += 1
                return state.choose?(context.json) ?? state.behaviour
            }
            switch behaviour {
            case .refuses(let status): throw Problem(ProblemType("stub-refusal", status, "No"), "the stub says no")
            case .hangs: try await Task.sleep(for: .seconds(3_600))
            default: break
            }
            return Response(headers: ServerSentEvent.replyHeaders, body: .stream { try await Self.speak(behaviour, $0) })
        }
    }

    private static func speak(_ behaviour: Behaviour, _ writer: BodyWriter) async throws {
        func say(_ count: Int) async throws {
            for index in 0..<count {
                let text = count == 1 ? "Yes" : "word\(index) "
                try await write(["choices": [["index": 0, "delta": ["content": .string(text)], "finish_reason": .null]]], writer)
            }
        }
        func end(_ input: Int, _ output: Int) async throws {
            try await write(
                [
                    "choices": [["index": 0, "delta": .object(JSONObject()), "finish_reason": "stop"]],
                    "usage": ["prompt_tokens": .int(Int64(input)), "completion_tokens": .int(Int64(output))],
                ], writer)
            try await writer.write(ServerSentEvent(data: "[DONE]").bytes)
        }
        switch behaviour {
        case .answers, .refuses, .hangs:
            try await say(1)
            try await end(5, 1)
        case .lies(let input, let output):
            try await say(1)
            try await end(input, output)
        case .forgetsUsage:
            try await say(2)
            try await writer.write(ServerSentEvent(data: "[DONE]").bytes)
        case .hangsMidway(let count):
            try await say(count)
            try await Task.sleep(for: .seconds(3_600))
        case .breaksOff(let count):
            try await say(count)
            throw Broken()
        case .nonsense(let count):
            try await say(count)
            try await writer.write(Array("data: {\"choices\": [\n\ndata: \u{1}\n\n".utf8))
        case .babbles: while true { try await say(64) }
        case .callsWithWordsBreakOff:
            for word in ["Let me ", "see."] {
                let call: JSONValue = ["index": 0, "id": "call_a", "function": ["name": "tide", "arguments": ""]]
                try await write(
                    ["choices": [["index": 0, "delta": ["content": .string(word), "tool_calls": [call]], "finish_reason": .null]]], writer)
            }
            throw Broken()
        case .calls, .callsBreakOff:
            let pieces: [JSONValue] = [
                ["index": 0, "id": "call_a", "type": "function", "function": ["name": "tide", "arguments": ""]],
                ["index": 0, "function": ["arguments": #"{"place":"#]],
                ["index": 0, "function": ["arguments": #""Brest"}"#]],
                ["index": 1, "id": "call_b", "type": "function", "function": ["name": "tide", "arguments": "{}"]],
            ]
            for piece in pieces {
                try await write(["choices": [["index": 0, "delta": ["tool_calls": [piece]], "finish_reason": .null]]], writer)
            }
            if case .callsBreakOff = behaviour { throw Broken() }
            try await write(
                [
                    "choices": [["index": 0, "delta": .object(JSONObject()), "finish_reason": "tool_calls"]],
                    "usage": ["prompt_tokens": 9, "completion_tokens": 6],
                ], writer)
            try await writer.write(ServerSentEvent(data: "[DONE]").bytes)
        }
    }

    private static func write(_ json: JSONValue, _ writer: BodyWriter) async throws {
        try await writer.write(ServerSentEvent(data: String(decoding: JSON.write(json), as: UTF8.self)).bytes)
    }

    private func load(_ suffix: String) -> Route {
        Route(
            .post, "/stub/\(name)/v1/adapters" + suffix, operation: "stubAdapter" + (suffix.isEmpty ? "" : "Unload") + name,
            summary: "A stub.", access: .authenticated, body: .json(.openObject()), replies: [.empty(204, "Done.")]
        ) { [self] context in
            state.withLock { $0.loads.append((suffix.isEmpty ? "load " : "unload ") + (context.json["adapter"]?.stringValue ?? "")) }
            return .noContent
        }
    }

    private var embed: Route {
        Route(
            .post, "/stub/\(name)/v1/embeddings", operation: "stubEmbed" + name, summary: "A stub.", access: .authenticated,
            body: .json(.openObject()), replies: [.json(200, "Vectors.", .any)], problems: [.unavailable]
        ) { [self] context in
            state.withLock { $0.embedded += 1 }
            while state.withLock({ $0.holdsEmbeddings }) { try await Task.sleep(for: .milliseconds(5)) }
            if case .refuses(let status) = state.withLock({ $0.behaviour }) {
                throw Problem(ProblemType("stub-refusal", status, "No"), "the stub says no")
            }
            let count = context.json["input"]?.arrayValue?.count ?? 1
            return .json([
                "object": "list", "model": "tiny", "usage": ["prompt_tokens": 4, "total_tokens": 4],
                "data": .array((0..<count).map { ["object": "embedding", "index": .int(Int64($0)), "embedding": [0.25, -0.5]] }),
            ])
        }
    }
}
