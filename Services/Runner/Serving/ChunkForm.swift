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

    /// A piece of the answer.
    /// - Parameter count: tokens so far, with the first piece: whoever is left before the end knows what the prompt came to.
    func text(_ text: String, count: (prompt: Int, answer: Int)? = nil, logprobs: JSONValue? = nil) -> ServerSentEvent {
        event(
            isChat
                ? ["index": 0, "delta": ["content": .string(text)], "logprobs": logprobs ?? .null, "finish_reason": .null]
                : ["index": 0, "text": .string(text), "logprobs": logprobs ?? .null, "finish_reason": .null],
            count.map { [Self.usage($0.prompt, $0.answer)] } ?? [])
    }

    /// How likely a token was, and its rivals.
    struct TokenOdds: Sendable {
        let chosen: GeneratedPiece.Logprob
        let rivals: [GeneratedPiece.Logprob]

        init(_ chosen: GeneratedPiece.Logprob, _ rivals: [GeneratedPiece.Logprob]) {
            self.chosen = chosen
            self.rivals = rivals
        }
    }

    /// Tokens' probabilities in OpenAI's form: an entry a token for a conversation, lists side by side for a text.
    func logprobs(_ tokens: [TokenOdds], _ tokenizer: Tokenizer) -> JSONValue {
        func text(_ odds: GeneratedPiece.Logprob) -> JSONValue {
            .string(String(decoding: tokenizer.bytes(of: odds.token) ?? [], as: UTF8.self))
        }
        func entry(_ odds: GeneratedPiece.Logprob) -> [(String, JSONValue)] {
            [
                ("token", text(odds)), ("logprob", .double(Double(odds.value))),
                ("bytes", .array((tokenizer.bytes(of: odds.token) ?? []).map { .int(Int64($0)) })),
            ]
        }
        if isChat {
            let entries = tokens.map { odds -> JSONValue in
                let rivals = odds.rivals.map { JSONValue.object(JSONObject(entry($0))) }
                return .object(JSONObject(entry(odds.chosen) + [("top_logprobs", .array(rivals))]))
            }
            return ["content": .array(entries), "refusal": .null]
        }
        return [
            "tokens": .array(tokens.map { text($0.chosen) }),
            "token_logprobs": .array(tokens.map { .double(Double($0.chosen.value)) }),
            "top_logprobs": .array(
                tokens.map { odds in
                    // Two tokens may have one text, which is no whole character: the likelier stands for both.
                    var names: Set<String> = []
                    return .object(
                        JSONObject(
                            odds.rivals.compactMap { rival in
                                let name = String(decoding: tokenizer.bytes(of: rival.token) ?? [], as: UTF8.self)
                                return names.insert(name).inserted ? (name, .double(Double(rival.value))) : nil
                            }))
                }),
        ]
    }

    func end(finish: String, usage: GeneratedPiece.Usage, row: Digest?) -> ServerSentEvent {
        let choice: JSONValue =
            isChat
            ? ["index": 0, "delta": .object(JSONObject()), "finish_reason": .string(finish)]
            : ["index": 0, "text": "", "finish_reason": .string(finish)]
        return event(
            choice,
            [Self.usage(usage.promptTokens, usage.generatedTokens)] + (row.map { [("openledger_row", .string($0.prefixed))] } ?? []))
    }

    private static func usage(_ prompt: Int, _ answer: Int) -> (String, JSONValue) {
        (
            "usage",
            [
                "prompt_tokens": .int(Int64(prompt)), "completion_tokens": .int(Int64(answer)),
                "total_tokens": .int(Int64(prompt + answer)),
            ]
        )
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
