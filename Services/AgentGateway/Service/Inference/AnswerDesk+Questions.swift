internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Crypto
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Web

/// Whole answers to single questions, for tools and agents that ask in somebody's name.
extension AnswerDesk {
    /// Answers a question. One that its caller has named is answered, and paid, once, and to its end: whoever has left asks again.
    func answer(_ question: ModelQuestion) async throws -> JSONValue {
        let request = try ChatRequest(chat: [
            "model": .string(question.model), "messages": [["role": "user", "content": .string(question.prompt)]],
            "max_tokens": .int(Int64(question.maximumTokens)),
        ])
        let order: @Sendable () async throws -> Order = {
            try await self.order(
                request, caller: question.caller, mandate: question.mandate, approval: question.approval, correlation: question.correlation)
        }
        guard let inference = try question.inference else { return try await whole(begin(request, as: nil, order)) }
        // Not by how long it may be: that is its seller's to change while it is being made.
        let digest = SHA256.hash(try JSON.canonical(["model": .string(question.model), "prompt": .string(question.prompt)]))
        return try await Task { try await whole(begin(request, as: Name(question: inference, digest: digest), order)) }.value
    }

    private func whole(_ begun: Begun) async throws -> JSONValue {
        var text = ""
        for try await piece in begun.heard {
            switch piece {
            case .text(let more, _): text += more
            // It was offered none to call.
            case .tools: continue
            case .done(let completed): return Self.said(text, completed)
            }
        }
        throw Problem(OpenAIProblems.upstream, "the answer ended before its end")
    }

    private static func said(_ text: String, _ completed: Completed) -> JSONValue {
        let inference = completed.inference
        return .members([
            "answer": .string(text), "finish": .string(completed.finish), "cut": inference.cut.map { .bool($0) },
            "repeated": completed.isRepeated ? true : nil,
            "inference": .string(inference.inference), "model": .string(inference.model), "version": .count(inference.version),
            "fee": inference.fee.json, "input_tokens": .count(inference.inputTokens), "output_tokens": .count(inference.outputTokens),
            "position": .int(Int64(completed.position)), "attribution": .string("/v1/attributions/\(inference.inference)"),
        ])
    }
}
