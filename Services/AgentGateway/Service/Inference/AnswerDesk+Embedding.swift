internal import AgentGatewayDomain
internal import Events
internal import HTTP
internal import JSON
internal import Money
internal import Web

extension AnswerDesk {
    /// Embeds texts: held for, counted and recorded as an answer is, with no tokens of its own.
    func embed(_ order: Order, input: JSONValue, options: [(String, JSONValue)]) async throws -> Response {
        let bytes = order.request.promptBytes
        let most = try InferencePrice.most(order.model.price, promptBytes: bytes, messages: 1, output: 0)
        guard backend.embeds(with: order.model.base) else {
            throw Problem(OpenAIProblems.unknownModel, "no backend embeds with \(order.model.base)", field: "#/model")
        }
        if let problem = await lag.refusal() { throw problem }
        let entry = try underWay.enter(order.inference)
        defer { underWay.leave(entry) }
        let grant = try await admit(order, tokens: bytes / 4, most)
        do {
            let order = try await authorized(order, most)
            let hold = try await held(most, order)
            let answer: JSONValue
            let runner: String
            do {
                (answer, runner) = try await entry.cut.run { try await backend.embed(order.model.base, [("input", input)] + options) }
            } catch {
                await release(hold, order)
                throw error
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
