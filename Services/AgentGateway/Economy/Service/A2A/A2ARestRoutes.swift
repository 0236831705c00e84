internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Telemetry
internal import Web

/// Agent2Agent 1.0 over HTTP and JSON: the same as over JSON-RPC, by paths and methods. The gateway's begin at `/a2a/v1`, an agent's at
/// `/a2a/{agent}/v1`.
struct A2ARestRoutes: Sendable {
    let desk: A2ADesk

    var routes: [Route] { door("/a2a/v1", "a2aRest") + door("/a2a/{agent}/v1", "a2aAgentRest") }

    private func door(_ base: String, _ name: String) -> [Route] {
        [
            route(.post, base + "/{call}", name + "Message", "message:send and message:stream.") { context, ask in
                let params = try Self.body(context)
                switch context.path["call"] {
                case "message:send": return .json(try await desk.send(params, ask))
                case "message:stream": return A2AStream.response(try await desk.stream(params, ask)) { $0 }
                default: throw JSONRPC.Fault.unknownMethod(context.path["call"])
                }
            },
            route(.get, base + "/extendedAgentCard", name + "ExtendedCard", "There is none.") { _, _ in throw A2AFault.noExtendedCard },
            route(.get, base + "/tasks", name + "Tasks", "The caller's tasks.", query: Self.list) { context, ask in
                .json(try await desk.list(try Self.query(context).object(), ask))
            },
            route(.get, base + "/tasks/{task}", name + "Task", "A task.", query: [Self.history]) { context, ask in
                .json(A2ATask.json(try await desk.task(context.path["task"], ask)))
            },
            route(.post, base + "/tasks/{task}", name + "TaskCall", "{task}:cancel and {task}:subscribe.") { context, ask in
                let parts = context.path["task"].split(separator: ":", maxSplits: 1).map(String.init)
                _ = try Self.body(context)
                switch parts.count == 2 ? parts[1] : "" {
                case "cancel": return .json(A2ATask.json(try await desk.cancel(parts[0], ask)))
                case "subscribe": return A2AStream.response(try await desk.subscribe(parts[0], ask)) { $0 }
                default: throw JSONRPC.Fault.unknownMethod(context.path["task"])
                }
            },
            route(.post, base + "/tasks/{task}/pushNotificationConfigs", name + "SetPush", "Asks for a task's changes to be sent.") {
                context, ask in
                .json(try await desk.setPush(context.path["task"], try Self.body(context).object(), ask))
            },
            route(
                .get, base + "/tasks/{task}/pushNotificationConfigs", name + "ListPushes", "Where a task's changes are sent.",
                query: [Self.size, Self.token]
            ) { context, ask in .json(["configs": .array(try await desk.listPushes(context.path["task"], ask))]) },
            route(.get, base + "/tasks/{task}/pushNotificationConfigs/{config}", name + "Push", "One of them.") { context, ask in
                .json(try await desk.push(context.path["task"], context.path["config"], ask))
            },
            route(.delete, base + "/tasks/{task}/pushNotificationConfigs/{config}", name + "EndPush", "Ends one of them.") {
                context, ask in
                try await desk.endPush(context.path["task"], context.path["config"], ask)
                return .json(.object(JSONObject()))
            },
        ]
    }

    private func route(
        _ method: Method, _ path: String, _ operation: String, _ summary: String, query: [QueryParameter] = [],
        _ handler: @escaping @Sendable (RequestContext, A2ADesk.Ask) async throws -> Response
    ) -> Route {
        Route(
            method, path, operation: operation, summary: "A2A by REST: " + summary, access: .authenticated, query: query,
            headers: [("A2A-Version", "1.0.")],
            body: method == .post ? .bytes(["application/json", "application/a2a+json", "*/*"], limit: 1 << 20) : .none,
            replies: [.json(200, "As A2A 1.0 has it; of the streaming calls, server-sent events.", .any)], errors: Self.style
        ) { context in
            do {
                let version = context.request.headers["A2A-Version"] ?? ""
                guard version == "1.0" || version.hasPrefix("1.0.") else { throw A2AFault.version(version) }
                let agent = path.hasPrefix("/a2a/{agent}") ? context.path["agent"] : nil
                return try await handler(
                    context, A2ADesk.Ask(caller: try context.caller, agent: agent, correlation: context.trace.traceID))
            } catch { return Self.refusal(try A2ARoutes.fault(error)) }
        }
    }

    // MARK: Parts of a request

    /// The JSON of a body; none is an object without members.
    private static func body(_ context: RequestContext) throws -> JSONValue {
        if context.bytes.isEmpty { return .object(JSONObject()) }
        do { return try JSON.parse(context.bytes, limits: JSONLimits(depth: 32, bytes: 1 << 20)) } catch {
            throw JSONRPC.Fault(code: -32_700, message: "the body is no JSON: \(error)")
        }
    }

    private static let history = QueryParameter("historyLength", .integer(0...1_000), "There is no history here: tasks have artifacts.")
    private static let size = QueryParameter("pageSize", .integer(0...100), "At most so many; 50 when left out.")
    private static let token = QueryParameter("pageToken", .text(0...200), "The last answer's nextPageToken.")
    private static let list = [
        QueryParameter("contextId", .text(0...200), "Only those of one tree."),
        QueryParameter("status", .text(0...64), "Only those in this state."),
        size, token, history, QueryParameter("includeArtifacts", .oneOf("true", "false", "True", "False"), "Whether artifacts are shown."),
    ]

    private static func query(_ context: RequestContext) -> JSONValue {
        .members([
            "contextId": context.query.string("contextId").map { .string($0) },
            "status": context.query.string("status").map { .string($0) },
            "pageToken": context.query.string("pageToken").map { .string($0) },
            "pageSize": context.query.integer("pageSize").map { .count($0) },
            "includeArtifacts": context.query.string("includeArtifacts").map { .bool($0.lowercased() == "true") },
        ])
    }

    // MARK: Errors

    private static func refusal(_ fault: JSONRPC.Fault) -> Response {
        let (status, name) = A2AFault.status(of: fault)
        return .json(
            [
                "error": [
                    "code": .count(status), "status": .string(name), "message": .string(fault.message), "details": fault.data ?? .array([]),
                ]
            ], status: status)
    }

    /// Errors of the rules that all routes share, likewise.
    private static let style = ErrorStyle(type: "application/json") { problem, _ in
        var response = refusal(A2AFault.refused(problem))
        response.status = problem.status
        for field in problem.headers { response.headers.set(field.name, field.value) }
        response.headers.set("Content-Type", "application/json")
        return response
    }
}
