internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
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
        // OpenAI's calls need no idempotency key: every request without one is a command of its own, named by an id that the caller gets
        // back.
        let id = Self.newID()
        return Order(
            inference: id, attempt: id, request: request, model: model, caller: caller.subject,
            payer: payer, correlation: correlation, retentionDays: days, purse: purse, key: key)
    }

    /// The order with the word of its mandate, where it has one.
    func authorized(_ order: Order, _ most: Amount) async throws -> Order {
        guard let purse = order.purse, most.isPositive else { return order }
        var order = order
        order.word = try await spending.authorize(
            inference: order.attempt, most, model: order.model.model, payee: order.model.owner, purse: purse, caller: order.caller,
            correlation: order.correlation, seconds: HoldDesk.time)
        return order
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
}
