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

    var routes: [Route] { [models, model, chat, completions] }

    private static let answers: [Reply] = [
        .json(200, "The answer; with `stream` as server-sent events.", .any)
    ]

    private var models: Route {
        Route(
            .get, "/v1/models", operation: "listServedModels", summary: "The models that may be asked.", access: .authenticated,
            replies: [.json(200, "Models.", .any)], errors: .openAI
        ) { [maker] _ in
            let models = try await maker.query { state in
                state.models.keys.sorted().compactMap { name in
                    state.model(named: name).map { ($0, state.modelTimes[name]?.last) }
                }
            }
            return .json(["object": "list", "data": .array(models.map { Self.view($0.0, $0.1) })])
        }
    }

    private var model: Route {
        Route(
            .get, "/v1/models/{name...}", operation: "retrieveModel", summary: "One model.", access: .authenticated,
            replies: [.json(200, "The model.", .any)], problems: OpenAIProblems.all, errors: .openAI
        ) { [maker] context in
            let name = context.path["name"]
            let model = try await maker.query { state in state.model(named: name).map { ($0, state.modelTimes[$0.model]?.last) } }
            guard let model else { throw Problem(OpenAIProblems.unknownModel, "there is no model \(name)", field: "model") }
            return .json(Self.view(model.0, model.1))
        }
    }

    private static func view(_ model: ModelPublished, _ published: Timestamp?) -> JSONValue {
        [
            "id": .string(model.model), "object": "model", "created": .int((published?.microseconds ?? 0) / 1_000_000),
            "owned_by": .string(model.owner),
            "openledger": [
                "version": .count(model.version), "base": .string(model.base), "price": model.price.json, "split": model.split.json,
            ],
        ]
    }

    private var chat: Route {
        Route(
            .post, "/v1/chat/completions", operation: "createChatCompletion", summary: "Answers a conversation.",
            access: .scope("inferences:write"),
            body: .json(.openObject(.required("model", .text), .required("messages", .any)), limit: 4 << 20),
            replies: Self.answers, problems: OpenAIProblems.all, errors: .openAI
        ) { context in try await answer(context, isChat: true) }
    }

    private var completions: Route {
        Route(
            .post, "/v1/completions", operation: "createCompletion", summary: "Goes on from a text.", access: .scope("inferences:write"),
            body: .json(.openObject(.required("model", .text), .required("prompt", .any)), limit: 4 << 20), replies: Self.answers,
            problems: OpenAIProblems.all, errors: .openAI
        ) { context in try await answer(context, isChat: false) }
    }

    private func answer(_ context: RequestContext, isChat: Bool) async throws -> Response {
        let request = try context.decode { try isChat ? ChatRequest(chat: $0) : ChatRequest(completion: $0) }
        let headers = context.request.headers
        let order = try await desk.order(
            request, caller: try context.caller, mandate: headers[SpendingDesk.mandateHeader],
            approval: headers[SpendingDesk.approvalHeader],
            correlation: context.trace.traceID)
        let heard = try await desk.begin(order)
        let form = AnswerForm(order: order, isChat: isChat, created: desk.clock().microseconds / 1_000_000)
        return request.stream ? form.stream(heard) : try await form.whole(heard)
    }
}
