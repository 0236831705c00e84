internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Events
internal import HTTP
internal import JSON
internal import Money
internal import Web

extension AnswerDesk {
    /// Embeds texts, once for a request that its caller has named: vectors are not kept, and a repeat is refused.
    func embed(
        _ request: ChatRequest, as name: Name?, input: JSONValue, options: [(String, JSONValue)],
        _ order: @Sendable () async throws -> Order
    ) async throws -> Response {
        guard let name else {
            let made = try await order()
            let entry = try underWay.enter(made.inference)
            defer { underWay.leave(entry) }
            return try await embed(made, entry, input: input, options: options)
        }
        let entry = try underWay.enter(name.inference)
        defer { underWay.leave(entry) }
        guard case .mine(let attempt) = try await turn(request, name, entry) else { throw AnswersUnderWay.inFlight }
        do {
            let response = try await embed(order().named(name, attempt), entry, input: input, options: options)
            await named.tell(name.inference, attempt: attempt, .init(finish: "stop", textBytes: 0))
            return response
        } catch {
            await named.giveUp(name.inference, attempt: attempt)
            // Another attempt had its turn meanwhile and was quicker.
            throw Self.isAnswered(error) ? AnswersUnderWay.inFlight : error
        }
    }

    /// Embeds texts: let in, held for, counted and recorded as an answer is, with no tokens of its own.
    private func embed(
        _ order: Order, _ entry: AnswersUnderWay.Entry, input: JSONValue, options: [(String, JSONValue)]
    ) async throws -> Response {
        let bytes = order.request.promptBytes
        let most = try InferencePrice.most(order.model.price, promptBytes: bytes, messages: 1, output: 0)
        guard backend.embeds(with: order.model.base) else {
            throw Problem(OpenAIProblems.unknownModel, "no backend embeds with \(order.model.base)", field: "#/model")
        }
        if let problem = await backend.desk.refusal(for: order.payer) { throw problem }
        if let problem = await lag.refusal() { throw problem }
        let grant = try await admit(order, promptBytes: bytes, messages: 1, most)
        do {
            let order = try await authorized(order, most)
            if let word = order.word { await spending.watch(word) { entry.cut(SpendingDesk.ended(word)) } }
            defer { if let word = order.word { spending.unwatch(word) } }
            let hold = try await held(most, order)
            let answer: JSONValue
            let runner: String
            do {
                (answer, runner) = try await entry.cut.run {
                    try await backend.embed(
                        order.model.base, [("input", input)] + options, principal: order.payer, work: bytes / 4)
                }
            } catch {
                await release(hold, order)
                if error is Problem || error is CancellationError { throw error }
                throw Problem(OpenAIProblems.upstream, BackendError.words(error))
            }
            let used = TokenBounds.input(told: Int(answer["usage"]?["prompt_tokens"]?.intValue ?? 0), bytes: bytes, messages: 1)
            let completed = try await recorded(
                order, Told(text: "", finish: "stop", count: TokenCount(input: used, output: 0), row: nil), [], hold, runner)
            grant?.finish(tokens: completed.inference.inputTokens, money: completed.inference.fee)
            var members = answer.objectValue ?? JSONObject()
            members["model"] = .string(order.model.model)
            members["openledger"] = AnswerForm.facts(completed)
            var response = Response.json(.object(members))
            for field in grant?.headers ?? [:] { response.headers.set(field.name, field.value) }
            return response
        } catch {
            grant?.finish(tokens: 0, money: .zero(most.asset))
            throw error
        }
    }
}
