internal import Events
internal import HTTP
internal import HTTPClient
internal import JSON
internal import ServiceShell
internal import Telemetry

/// What a model said, piece by piece.
enum BackendEvent: Sendable {
    /// A piece of the answer.
    case text(String)
    /// The end: why, the tokens as the model counted them, and the answer's attribution row where it made one.
    case end(finish: String, input: Int, output: Int, row: String?)
}

/// Something that answers.
protocol Backend: Sendable {
    /// Who computes it, as the log names it.
    var runner: String { get }
    /// Asks, and gives what comes. Cancelling the task ends the work there too.
    func answer(_ request: ChatRequest, model: ModelPublished, passages: [String]) async throws -> AsyncThrowingStream<
        BackendEvent, any Error
    >
}

/// Where answers come from.
struct BackendSettings: Sendable {
    /// Where an OpenAI-compatible server is.
    let url: String
    /// Who it is, as the log names it.
    let runner: String

    /// `OPENLEDGER_BACKEND_URL`: an OpenAI-compatible server, the embedded runner when left out. `OPENLEDGER_BACKEND_RUNNER`: the
    /// principal that is paid for computing.
    init(_ settings: Configuration) throws {
        url = settings.string("BACKEND_URL", default: "http://embedded/runner")
        runner = settings.string("BACKEND_RUNNER", default: "runner")
    }
}

/// An OpenAI-compatible server: the runner, or any other.
struct OpenAIBackend: Backend {
    private let settings: BackendSettings
    private let peers: Peers
    /// The longest silence of a model server that is borne.
    static let patience = Duration.seconds(120)

    init(_ settings: BackendSettings, peers: Peers) {
        self.settings = settings
        self.peers = peers
    }

    var runner: String { settings.runner }

    func answer(_ request: ChatRequest, model: ModelPublished, passages: [String]) async throws -> AsyncThrowingStream<
        BackendEvent, any Error
    > {
        let isChat = request.messages.first?.role != "prompt"
        var body: [(String, JSONValue)] = [
            ("model", .string(model.base)), ("max_tokens", .int(Int64(request.maximumTokens))),
            ("temperature", .double(request.temperature)),
            ("top_p", .double(request.topP)), ("stream", true), ("stream_options", ["include_usage": true]),
            ("stop", .array(request.stop.map { .string($0) })),
        ]
        if let adapter = model.adapter { body.append(("openledger_adapter", .digest(adapter))) }
        if let seed = request.seed { body.append(("seed", .int(Int64(seed)))) }
        let context = passages.isEmpty ? nil : "Use these passages where they help:\n" + passages.joined(separator: "\n\n")
        if isChat {
            var messages = request.messagesJSON.arrayValue ?? []
            if let context { messages.insert(["role": "system", "content": .string(context)], at: 0) }
            body.append(("messages", .array(messages)))
        } else {
            body.append(("prompt", .string((context.map { $0 + "\n\n" } ?? "") + (request.messages.first?.content ?? ""))))
        }
        let answer = try await peers.open(
            "POST", url: settings.url + (isChat ? "/v1/chat/completions" : "/v1/completions"), as: .training,
            json: .object(JSONObject(body)), silence: Self.patience)
        guard answer.status == 200 else {
            let words = try await answer.body.collect(upTo: 64 << 10)
            throw BackendError.refused(status: answer.status, words: String(decoding: words.prefix(500), as: UTF8.self))
        }
        return AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try await Self.read(ServerSentEvents(answer.body)) { continuation.yield($0) }
                    continuation.finish()
                } catch { continuation.finish(throwing: error) }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private static func read(_ events: ServerSentEvents, _ tell: (BackendEvent) -> Void) async throws {
        var finish = "stop"
        var usage: (input: Int, output: Int)?
        var row: String?
        for try await event in events {
            if event.data == "[DONE]" { break }
            guard let chunk = try? JSON.parse(Array(event.data.utf8)) else { throw BackendError.broken("a chunk is not JSON") }
            if let error = chunk["error"], !error.isNull {
                throw BackendError.refused(status: 500, words: error["message"]?.stringValue ?? "an error")
            }
            if let choice = chunk["choices"]?.arrayValue?.first {
                if let text = choice["delta"]?["content"]?.stringValue ?? choice["text"]?.stringValue, !text.isEmpty { tell(.text(text)) }
                if let reason = choice["finish_reason"]?.stringValue { finish = reason }
            }
            if let counted = chunk["usage"], let input = counted["prompt_tokens"]?.intValue,
                let output = counted["completion_tokens"]?.intValue,
                input >= 0, output >= 0
            {
                usage = (Int(input), Int(output))
            }
            if let name = chunk["openledger_row"]?.stringValue { row = name }
        }
        guard let usage else { throw BackendError.broken("it ended without saying what was used") }
        tell(.end(finish: finish, input: usage.input, output: usage.output, row: row))
    }
}

/// What goes wrong behind the gateway.
enum BackendError: Error, CustomStringConvertible {
    case refused(status: Int, words: String)
    case broken(String)

    var description: String {
        switch self {
        case .refused(let status, let words): "the model server answered \(status): \(words)"
        case .broken(let why): "the model server's stream is broken: \(why)"
        }
    }
}
