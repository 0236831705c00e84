internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Telemetry
internal import Web

extension AnswerDesk {
    /// An order for an answer: the model that is meant, who pays, and under which mandate.
    /// - Parameters:
    ///   - mandate: the one that the caller names; its only one when nil.
    ///   - approval: a human's word for what it costs.
    /// - Throws: `Problem` for an unknown model, and what the mandates refuse.
    func order(_ request: ChatRequest, caller: Caller, mandate: String?, approval: String?, correlation: String) async throws -> Order {
        let name = aliases[request.model] ?? request.model
        let (model, owner, key, ownDays) = try await maker.query { state in
            let key = caller.key.map { Order.Key(id: $0, limits: state.apiKey(id: $0)?.limits) }
            let model = state.model(asked: name).flatMap { state.mayAsk($0, caller.subject) ? $0 : nil }
            let owner = state.principals[caller.subject]?.owner
            return (model, owner, key, state.principals[owner ?? caller.subject]?.retentionDays)
        }
        guard let model else {
            throw Problem(OpenAIProblems.unknownModel, "there is no model \(request.model); GET /v1/models lists them", field: "#/model")
        }
        let purse = try await spending.purse(of: caller.subject, mandate: mandate, approval: approval)
        let payer = purse?.payer ?? owner ?? caller.subject
        var days = ownDays
        if payer != owner ?? caller.subject { days = try await maker.query { $0.principals[payer]?.retentionDays } }
        // OpenAI's calls have no idempotency key: every request is a command of its own, named by an id that the caller gets back.
        return Order(
            inference: "in_" + Hex.encode(Random.bytes(16)), request: request, model: model, caller: caller.subject,
            payer: payer, correlation: correlation, retentionDays: days, purse: purse, key: key)
    }

    /// The order with the word of its mandate, where it has one.
    func authorized(_ order: Order, _ most: Amount) async throws -> Order {
        guard let purse = order.purse, most.isPositive else { return order }
        var order = order
        order.word = try await spending.authorize(
            inference: order.inference, most, model: order.model.model, payee: order.model.owner, purse: purse, caller: order.caller,
            correlation: order.correlation, seconds: HoldDesk.time)
        return order
    }

    /// Counts what it came to.
    func settle(_ order: Order, _ fee: Amount) async throws {
        guard let word = order.word else { return }
        try await spending.settle(word, fee, caller: order.caller, correlation: order.correlation)
    }

    /// Nothing came of it: the mandate has it back.
    func free(_ order: Order) async {
        guard let word = order.word else { return }
        do { try await spending.free(word, caller: order.caller, correlation: order.correlation) } catch {
            logger.warning(
                "an authorisation could not be set free; it runs out by itself",
                ["authorization": .string(word.authorization), "error": .string("\(error)")])
        }
    }

    /// A whole answer to one question, for tools that ask in somebody's name.
    func answer(_ question: ModelQuestion) async throws -> JSONValue {
        let request = try ChatRequest(chat: [
            "model": .string(question.model), "messages": [["role": "user", "content": .string(question.prompt)]],
            "max_tokens": .int(Int64(question.maximumTokens)),
        ])
        let order = try await order(
            request, caller: question.caller, mandate: question.mandate, approval: question.approval,
            correlation: question.correlation)
        var text = ""
        for try await piece in try await begin(order).heard {
            switch piece {
            case .text(let more, _): text += more
            // It was offered none to call.
            case .tools: continue
            case .done(let completed):
                let inference = completed.inference
                return [
                    "answer": .string(text), "finish": .string(completed.finish), "inference": .string(inference.inference),
                    "model": .string(inference.model), "version": .count(inference.version), "fee": inference.fee.json,
                    "input_tokens": .count(inference.inputTokens), "output_tokens": .count(inference.outputTokens),
                    "position": .int(Int64(completed.position)),
                    "attribution": .string("/v1/attributions/\(inference.inference)"),
                ]
            }
        }
        throw Problem(OpenAIProblems.upstream, "the answer ended before its end")
    }
}
