internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Web

/// Whole answers to single questions, for tools and agents that ask in somebody's name.
extension AnswerDesk {
    /// Answers a question. One that its caller has named is answered, and paid, once: its inference's id comes of the name, and the log
    /// takes no second event of one inference.
    func answer(_ question: ModelQuestion) async throws -> JSONValue {
        let request = try ChatRequest(chat: [
            "model": .string(question.model), "messages": [["role": "user", "content": .string(question.prompt)]],
            "max_tokens": .int(Int64(question.maximumTokens)),
        ])
        guard let key = question.key else { return try await answer(try await order(request, question)) }
        let command = CommandIdentity(caller: question.caller, key: try IdempotencyKey(key), body: .zero)
        let id = "in_" + Hex.encode(Array(SHA256.hash(utf8: "openledger/question\n" + command.id).bytes.prefix(16)))
        return try await named.run(id) {
            if let known = try await self.known.find(id) { return try await again(known, request) }
            var order = try await order(request, question)
            order.inference = id
            do { return try await answer(order) } catch {
                // Another gateway was asked the same, and answered first: its answer is the answer.
                guard Self.isAnswered(error), let known = try await self.known.find(id) else { throw error }
                return try await again(known, request)
            }
        }
    }

    private func order(_ request: ChatRequest, _ question: ModelQuestion) async throws -> Order {
        try await order(
            request, caller: question.caller, mandate: question.mandate, approval: question.approval, correlation: question.correlation)
    }

    private func answer(_ order: Order) async throws -> JSONValue {
        var text = ""
        for try await piece in try await begin(order).heard {
            switch piece {
            case .text(let more, _): text += more
            // It was offered none to call.
            case .tools: continue
            case .done(let completed): return Self.said(text, completed.inference, completed.position, finish: completed.finish)
            }
        }
        throw Problem(OpenAIProblems.upstream, "the answer ended before its end")
    }

    /// What was answered to the same question before.
    /// - Throws: `Problem` for another question under its name, and for an answer whose text is kept no more.
    private func again(_ known: InferenceCompleted, _ request: ChatRequest) async throws -> JSONValue {
        let name = aliases[request.model] ?? request.model
        let model = try await maker.query { $0.model(asked: name)?.model ?? name }
        let texts: (prompt: JSONValue, answer: String)
        do { texts = try await contents.content(of: known) } catch {
            guard Self.isGone(error) else { throw error }
            throw Problem(
                GatewayProblems.erased, "this was asked, answered and paid as \(known.inference); the answer's text is kept no more")
        }
        guard model == known.model, texts.prompt == request.messagesJSON else {
            throw Problem(.keyReused, "another question was asked under this key, and answered as \(known.inference)")
        }
        // The same command again: the log says where its answer stands.
        let cause = Cause.command(id: known.inference, digest: SHA256.hash(try JSON.canonical(known.json)))
        let outcome = try await maker.decide(cause, actor: known.actor, correlation: "", InferenceRules.complete(known))
        return Self.said(texts.answer, known, outcome.facts.first?.position ?? 0, finish: nil)
    }

    private static func isGone(_ error: any Error) -> Bool {
        switch error {
        case BlobError.erased, BlobError.notFound, BlobError.noKey: true
        default: false
        }
    }

    /// - Parameter finish: why it ended; nil of an answer that was given before, of which that is not kept.
    private static func said(_ text: String, _ inference: InferenceCompleted, _ position: UInt64, finish: String?) -> JSONValue {
        .members([
            "answer": .string(text), "finish": finish.map { .string($0) }, "repeated": finish == nil ? true : nil,
            "inference": .string(inference.inference), "model": .string(inference.model), "version": .count(inference.version),
            "fee": inference.fee.json, "input_tokens": .count(inference.inputTokens), "output_tokens": .count(inference.outputTokens),
            "position": .int(Int64(position)), "attribution": .string("/v1/attributions/\(inference.inference)"),
        ])
    }
}
