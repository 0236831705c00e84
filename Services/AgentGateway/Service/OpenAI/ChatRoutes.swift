internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import HTTPClient
internal import Identity
internal import JSON
internal import Money
internal import Telemetry
internal import Web

/// OpenAI's paths: an app that knows its API changes `base_url` and is here.
struct ChatRoutes: Sendable {
    let maker: DecisionMaker<GatewayState>
    let desk: AnswerDesk
    private var aliases: [String: String] { desk.aliases }

    var routes: [Route] { [models, model, chat, completions] }

    /// How long an answer may take until its head: a whole one has it only at its end. Less than its hold lasts.
    static let deadline = Duration.seconds(600)

    private static let answers: [Reply] = [
        .json(200, "The answer; with `stream` as server-sent events.", .any)
    ]

    private var models: Route {
        Route(
            .get, "/v1/models", operation: "listServedModels", summary: "The models that may be asked.", access: .authenticated,
            replies: [.json(200, "Models.", .any)], errors: .openAI
        ) { [maker, aliases] context in
            let caller = try context.caller.subject
            let models = try await maker.query { state in
                let published = state.models.keys.sorted().compactMap { name in
                    state.model(named: name).map { ($0, state.modelTimes[name]?.last, String?.none) }
                }
                let named = aliases.keys.sorted().compactMap { alias in
                    state.model(asked: aliases[alias] ?? "").map { ($0, state.modelTimes[$0.model]?.last, String?.some(alias)) }
                }
                return (published + named).filter { state.mayAsk($0.0, caller) }
            }
            return .json(["object": "list", "data": .array(models.map { Self.view($0.0, $0.1, as: $0.2) })])
        }
    }

    private var model: Route {
        Route(
            .get, "/v1/models/{name...}", operation: "retrieveModel", summary: "One model.", access: .authenticated,
            replies: [.json(200, "The model.", .any)], problems: OpenAIProblems.all, errors: .openAI
        ) { [maker, aliases] context in
            let name = context.path["name"]
            let asked = aliases[name] ?? name
            let caller = try context.caller.subject
            let model = try await maker.query { state in
                state.model(asked: asked).flatMap { state.mayAsk($0, caller) ? ($0, state.modelTimes[$0.model]?.last) : nil }
            }
            guard let model else { throw Problem(OpenAIProblems.unknownModel, "there is no model \(name)", field: "model") }
            return .json(Self.view(model.0, model.1, as: aliases[name] == nil ? nil : name))
        }
    }

    private static func view(_ model: ModelPublished, _ published: Timestamp?, as alias: String?) -> JSONValue {
        [
            "id": .string(alias ?? model.model), "object": "model", "created": .int((published?.microseconds ?? 0) / 1_000_000),
            "owned_by": .string(model.owner),
            "openledger": [
                "model": .string(model.model), "version": .count(model.version), "base": .string(model.base), "price": model.price.json,
                "split": model.split.json,
            ],
        ]
    }

    private var chat: Route {
        Route(
            .post, "/v1/chat/completions", operation: "createChatCompletion", summary: "Answers a conversation.",
            access: .scope("inferences:write"), headers: Self.naming,
            body: .json(.openObject(.required("model", .text), .required("messages", .any)), limit: 4 << 20),
            replies: Self.answers, problems: Self.problems, deadline: Self.deadline, errors: .openAI
        ) { context in try await answer(context, isChat: true) }
    }

    private var completions: Route {
        Route(
            .post, "/v1/completions", operation: "createCompletion", summary: "Goes on from a text.", access: .scope("inferences:write"),
            headers: Self.naming, body: .json(.openObject(.required("model", .text), .required("prompt", .any)), limit: 4 << 20),
            replies: Self.answers,
            problems: Self.problems, deadline: Self.deadline, errors: .openAI
        ) { context in try await answer(context, isChat: false) }
    }

    private func answer(_ context: RequestContext, isChat: Bool) async throws -> Response {
        let request = try context.decode { try isChat ? ChatRequest(chat: $0) : ChatRequest(completion: $0) }
        let name = try name(context)
        let order = try order(request, context)
        let answered: @Sendable () async throws -> Response = {
            let begun = try await desk.begin(request, as: name, order)
            let form = AnswerForm(request: request, begun: begun, isChat: isChat, created: desk.clock().microseconds / 1_000_000)
            var response = request.stream ? form.stream(begun.heard) : try await form.whole(begun.heard)
            for field in begun.headers { response.headers.set(field.name, field.value) }
            return response
        }
        guard name != nil, !request.stream else { return try await answered() }
        // Whoever has named a whole answer and lost the connection asks again: it is given to its end for that, and kept.
        return try await Task { try await answered() }.value
    }

    /// Makes the order: who asks which model for what.
    func order(_ request: ChatRequest, _ context: RequestContext) throws -> @Sendable () async throws -> AnswerDesk.Order {
        let headers = context.request.headers
        let caller = try context.caller
        return { [desk] in
            try await desk.order(
                request, caller: caller, mandate: headers[SpendingDesk.mandateHeader],
                approval: headers[SpendingDesk.approvalHeader], correlation: context.trace.traceID)
        }
    }

    /// The caller's name for a request, where it has one.
    func name(_ context: RequestContext) throws -> AnswerDesk.Name? {
        let keys = context.request.headers.all(Self.keyHeader)
        guard let key = keys.first else { return nil }
        guard keys.count == 1 else {
            throw Problem(.keyInvalid, "\(Self.keyHeader) was given more than once", field: Self.keyHeader)
        }
        // Read here and not by the route, so that who names nothing pays for no digest.
        let body = SHA256.hash(try JSON.canonical(context.json))
        return AnswerDesk.Name(CommandIdentity(caller: try context.caller, key: try IdempotencyKey(key), body: body))
    }

    private static let keyHeader = "Idempotency-Key"
    /// What it is good for.
    static let naming = [(name: keyHeader, summary: "The caller's name for this request: repeated under it, it is answered and paid once.")]
    /// What named requests may answer with.
    static let problems = OpenAIProblems.all + [.keyInvalid, .keyReused, .commandInFlight, .conflict, GatewayProblems.erased]
}
