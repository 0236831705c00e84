internal import Events
internal import HTTP
internal import HTTPClient
internal import JSON
internal import Money
internal import Web

/// How answers look to OpenAI's clients, whole or in chunks.
struct AnswerForm: Sendable {
    let request: ChatRequest
    let begun: AnswerDesk.Begun
    let isChat: Bool
    /// Seconds since 1970.
    let created: Int64

    /// The whole answer at once.
    func whole(_ heard: AsyncThrowingStream<AnswerDesk.Heard, any Error>) async throws -> Response {
        var text = ""
        var calls = ToolCalls()
        var logprobs = Logprobs()
        for try await piece in heard {
            switch piece {
            case .text(let more, let told):
                text += more
                logprobs.add(told)
            case .tools(let more): calls.add(more)
            case .done(let completed):
                let message: JSONValue = .members([
                    "role": "assistant", "content": text.isEmpty && !calls.isEmpty ? .null : .string(text), "refusal": .null,
                    "tool_calls": calls.isEmpty ? nil : calls.json,
                ])
                let choice: JSONValue =
                    isChat
                    ? ["index": 0, "message": message, "logprobs": logprobs.json, "finish_reason": .string(completed.finish)]
                    : ["index": 0, "text": .string(text), "logprobs": logprobs.json, "finish_reason": .string(completed.finish)]
                return .json([
                    "id": .string(begun.inference), "object": .string(isChat ? "chat.completion" : "text_completion"),
                    "created": .int(created),
                    "model": .string(begun.model), "choices": [choice], "usage": Self.usage(completed.inference),
                    "openledger": Self.facts(completed),
                ])
            }
        }
        throw Problem(OpenAIProblems.upstream, "the answer ended before its end")
    }

    /// Chunks, as they come.
    func stream(_ heard: AsyncThrowingStream<AnswerDesk.Heard, any Error>) -> Response {
        let events = AsyncThrowingStream<ServerSentEvent, any Error> { continuation in
            let task = Task {
                do {
                    if isChat { continuation.yield(chunk(["role": "assistant", "content": ""], finish: nil)) }
                    for try await piece in heard {
                        switch piece {
                        case .text(let text, let logprobs):
                            continuation.yield(chunk(["content": .string(text)], finish: nil, text: text, logprobs: logprobs))
                        case .tools(let more): continuation.yield(chunk(["tool_calls": more], finish: nil))
                        case .done(let completed):
                            continuation.yield(
                                chunk(.object(JSONObject()), finish: completed.finish, text: "", facts: Self.facts(completed)))
                            if request.includesUsage { continuation.yield(last(completed)) }
                        }
                    }
                    continuation.yield(ServerSentEvent(data: "[DONE]"))
                } catch {
                    let problem = error as? Problem ?? Problem(OpenAIProblems.upstream, "the answer broke off")
                    continuation.yield(
                        event([
                            "error": [
                                "message": .string(problem.detail), "type": .string(ErrorStyle.openAIKind(of: problem)), "param": .null,
                                "code": .string(ErrorStyle.openAICode(of: problem)),
                            ]
                        ]))
                }
                continuation.finish()
            }
            continuation.onTermination = { end in if case .cancelled = end { task.cancel() } }
        }
        return SSE.response(events)
    }

    private func chunk(_ delta: JSONValue, finish: String?, text: String = "", logprobs: JSONValue? = nil, facts: JSONValue? = nil)
        -> ServerSentEvent
    {
        let reason: JSONValue = finish.map { .string($0) } ?? .null
        let choice: JSONValue =
            isChat
            ? ["index": 0, "delta": delta, "logprobs": logprobs ?? .null, "finish_reason": reason]
            : ["index": 0, "text": .string(text), "logprobs": logprobs ?? .null, "finish_reason": reason]
        return event(
            .members([
                "id": .string(begun.inference), "object": .string(isChat ? "chat.completion.chunk" : "text_completion"),
                "created": .int(created),
                "model": .string(begun.model), "choices": [choice], "usage": request.includesUsage ? .null : nil,
                "openledger": facts,
            ]))
    }

    private func last(_ completed: AnswerDesk.Completed) -> ServerSentEvent {
        event([
            "id": .string(begun.inference), "object": .string(isChat ? "chat.completion.chunk" : "text_completion"),
            "created": .int(created),
            "model": .string(begun.model), "choices": [], "usage": Self.usage(completed.inference),
        ])
    }

    private func event(_ json: JSONValue) -> ServerSentEvent { ServerSentEvent(data: String(decoding: JSON.write(json), as: UTF8.self)) }

    private static func usage(_ inference: InferenceCompleted) -> JSONValue {
        [
            "prompt_tokens": .count(inference.inputTokens), "completion_tokens": .count(inference.outputTokens),
            "total_tokens": .count(inference.inputTokens + inference.outputTokens),
        ]
    }

    /// The passages that the answer quotes.
    private static func citations(_ inference: InferenceCompleted) -> [JSONValue] {
        guard case .entries(let passages) = inference.passages else { return [] }
        return passages.filter(\.cited).map { ["datanet": .string($0.datanet), "item": .string($0.item)] }
    }

    /// What others do not have: what it cost, where it stands on the log, and where it will be explained.
    static func facts(_ completed: AnswerDesk.Completed) -> JSONValue {
        .members([
            "inference": .string(completed.inference.inference), "fee": completed.inference.fee.json,
            "position": .int(Int64(completed.position)),
            "version": .count(completed.inference.version), "attribution": .string("/v1/attributions/\(completed.inference.inference)"),
            "receipt": .string("/v1/receipts/\(completed.inference.inference)"),
            "citations": .array(citations(completed.inference)), "cut": completed.inference.cut.map { .bool($0) },
            "repeated": completed.isRepeated ? true : nil,
        ])
    }
}

/// The probabilities of a whole answer, from those of its pieces: each list of theirs goes on where the last ended.
struct Logprobs {
    private var lists: [(key: String, values: [JSONValue])] = []

    mutating func add(_ piece: JSONValue?) {
        for member in piece?.objectValue?.members ?? [] {
            guard let more = member.value.arrayValue else { continue }
            if let place = lists.firstIndex(where: { $0.key == member.key }) {
                lists[place].values += more
            } else {
                lists.append((member.key, more))
            }
        }
    }

    /// Null when none were told.
    var json: JSONValue { lists.isEmpty ? .null : .object(JSONObject(lists.map { ($0.key, .array($0.values)) })) }
}
