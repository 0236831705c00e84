internal import AgentGatewayDomain
internal import Crypto
internal import Events
internal import Identity
internal import JSON
internal import Web

/// Requests of OpenAI's API that their callers have named by an Idempotency-Key: each is answered, and paid, once.
extension AnswerDesk {
    /// The order under its caller's name for it. The log takes no second answer of one inference, so its id comes of the name.
    func named(_ order: Order, _ command: CommandIdentity) -> Order {
        var order = order
        order.inference = "in_" + Hex.encode(Array(SHA256.hash(utf8: "openledger/answer\n" + command.id).bytes.prefix(16)))
        order.digest = command.digest
        return order
    }

    /// What was answered to the same request before; nil for one that is new.
    /// - Throws: `Problem` for another request under its name, and for an answer that can't be told any more.
    func repeated(_ order: Order) async throws -> AsyncThrowingStream<Heard, any Error>? {
        guard let digest = order.digest, let known = try await known.find(order.inference) else { return nil }
        let memory = told[known.inference]
        if let memory, memory.digest != digest {
            throw Problem(
                .keyReused, "another request was made under this key, and answered as \(known.inference)", field: "Idempotency-Key")
        }
        guard order.request.maximumTokens > 0 else {
            throw Problem(
                .conflict, "this was asked, answered and paid as \(known.inference); embeddings are not kept: ask under another key")
        }
        let text = try await text(of: known, order.request, model: order.model.model)
        // What it said and what it asked for are one text there.
        guard memory != nil || order.request.options.toolBytes == 0 else {
            throw Problem(
                .conflict,
                "this was asked, answered and paid as \(known.inference): GET /v1/inferences/\(known.inference)/content has its text")
        }
        let completed = Completed(
            inference: known, finish: memory?.finish ?? (known.outputTokens >= order.request.maximumTokens ? "length" : "stop"),
            position: try await position(of: known), isRepeated: true)
        let said = memory.map { String(decoding: text.utf8.prefix($0.textBytes), as: UTF8.self) } ?? text
        return AsyncThrowingStream { continuation in
            if !said.isEmpty { continuation.yield(.text(said, logprobs: nil)) }
            if let calls = memory?.calls { continuation.yield(.tools(Self.indexed(calls))) }
            continuation.yield(.done(completed))
            continuation.finish()
        }
    }

    /// Calls as a delta has them: each says which one it is.
    private static func indexed(_ calls: JSONValue) -> JSONValue {
        .array(
            (calls.arrayValue ?? []).enumerated().map { index, call in
                .object(JSONObject([("index", .count(index))] + (call.objectValue?.members.map { ($0.key, $0.value) } ?? [])))
            })
    }
}
