internal import Crypto
internal import Engine
internal import HTTP
internal import HTTPClient
internal import JSON

/// Chunks of an answer in OpenAI's form.
struct ChunkForm: Sendable {
    let id: String
    let model: String
    let isChat: Bool

    func text(_ text: String) -> ServerSentEvent {
        event(
            isChat
                ? ["index": 0, "delta": ["content": .string(text)], "finish_reason": .null]
                : ["index": 0, "text": .string(text), "finish_reason": .null])
    }

    func end(finish: String, usage: GeneratedPiece.Usage, row: Digest?) -> ServerSentEvent {
        let choice: JSONValue =
            isChat
            ? ["index": 0, "delta": .object(JSONObject()), "finish_reason": .string(finish)]
            : ["index": 0, "text": "", "finish_reason": .string(finish)]
        return event(
            choice,
            [
                (
                    "usage",
                    [
                        "prompt_tokens": .int(Int64(usage.promptTokens)), "completion_tokens": .int(Int64(usage.generatedTokens)),
                        "total_tokens": .int(Int64(usage.promptTokens + usage.generatedTokens)),
                    ]
                )
            ] + (row.map { [("openledger_row", .string($0.prefixed))] } ?? []))
    }

    func failure(_ error: any Error) -> ServerSentEvent {
        ServerSentEvent(
            data: String(decoding: JSON.write(["error": ["message": .string("\(error)"), "type": "server_error"]]), as: UTF8.self))
    }

    private func event(_ choice: JSONValue, _ more: [(String, JSONValue)] = []) -> ServerSentEvent {
        let members: [(String, JSONValue)] = [
            ("id", .string(id)), ("object", .string(isChat ? "chat.completion.chunk" : "text_completion")), ("model", .string(model)),
            ("choices", [choice]),
        ]
        return ServerSentEvent(data: String(decoding: JSON.write(.object(JSONObject(members + more))), as: UTF8.self))
    }
}
