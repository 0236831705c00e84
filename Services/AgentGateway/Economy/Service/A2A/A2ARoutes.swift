internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Telemetry
internal import Web

/// Agent2Agent over JSON-RPC, 1.0 and 0.3 on one door: a message finds, asks or hires, and the tasks that come of it are those of `/v1/tasks`.
struct A2ARoutes: Sendable {
    let desk: A2ADesk
    let address: PublicAddress

    var routes: [Route] { [card, endpoint("/a2a", "a2a"), endpoint("/a2a/{agent}", "a2aAgent")] }

    private var card: Route {
        Route(
            .get, "/.well-known/agent-card.json", operation: "gatewayCard", summary: "The gateway's A2A card, for 1.0 and 0.3.",
            access: .public, replies: [.json(200, "The card.", .any)]
        ) { [address] context in Self.card(AgentForms.gatewayCard(base: address.base(context.request)), context) }
    }

    /// A card, which may be kept for a minute; who has it already is told so (RFC 9110 §13.1.2).
    static func card(_ card: JSONValue, _ context: RequestContext) -> Response {
        let bytes = JSON.write(card)
        let tag = "\"" + SHA256.hash(bytes).hex.prefix(32) + "\""
        let headers: Headers = ["Cache-Control": "max-age=60", "ETag": tag]
        if context.request.headers["If-None-Match"] == tag { return Response(status: 304, headers: headers) }
        return .json(bytes: bytes, headers: headers)
    }

    private func endpoint(_ path: String, _ operation: String) -> Route {
        Route(
            .post, path, operation: operation,
            summary: path == "/a2a" ? "A2A with the gateway: find, ask, hire." : "A2A with an agent: a message hires its service.",
            access: .authenticated, headers: [("A2A-Version", "1.0, or 0.3, which is meant when there is none.")],
            body: .json(.any, limit: 1 << 20),
            replies: [.json(200, "A JSON-RPC answer; of the streaming methods, server-sent events with one each.", .any)],
            errors: Self.style
        ) { context in try await answer(context, agent: path == "/a2a" ? nil : context.path["agent"]) }
    }

    /// Errors of the rules that all routes share, in this protocol's shape.
    private static let style = ErrorStyle(type: "application/json") { problem, _ in
        var headers = problem.headers
        headers.set("Content-Type", "application/json")
        let code = problem.type.code == "bad-body" ? -32_700 : problem.status < 500 ? -32_600 : -32_603
        return Response(
            status: problem.status, headers: headers,
            body: .bytes(
                JSON.write([
                    "jsonrpc": "2.0", "id": .null, "error": ["code": .int(Int64(code)), "message": .string(problem.detail)],
                ])))
    }

    private func answer(_ context: RequestContext, agent: String?) async throws -> Response {
        guard let message = context.json.objectValue, message["jsonrpc"]?.stringValue == "2.0", let id = message["id"],
            id.stringValue != nil || id.intValue != nil, let method = message["method"]?.stringValue
        else { return JSONRPC.fault(.null, .invalidRequest("the body must be one JSON-RPC 2.0 request"), status: 200) }
        let given = message["params"] ?? .object(JSONObject())
        do {
            let isLegacy = try Self.isLegacy(context.request.headers["A2A-Version"] ?? "", method)
            let ask = A2ADesk.Ask(
                caller: try context.caller, agent: agent, correlation: context.trace.traceID, isLegacy: isLegacy)
            let name = isLegacy ? A2ALegacy.methods[method] ?? method : method
            let params = isLegacy ? A2ALegacy.params(method, given) : given
            if let events = try await stream(name, params, ask) {
                return A2AStream.response(events) { event in
                    ["jsonrpc": "2.0", "id": id, "result": isLegacy ? A2ALegacy.event(event) : event]
                }
            }
            let result = try await result(of: name, params, ask)
            return JSONRPC.result(id, isLegacy ? A2ALegacy.result(method, result) : result)
        } catch { return JSONRPC.fault(id, try Self.fault(error), status: 200) }
    }

    /// Which version a call speaks: none means 0.3.
    private static func isLegacy(_ version: String, _ method: String) throws(JSONRPC.Fault) -> Bool {
        if version == "1.0" || version.hasPrefix("1.0.") { return false }
        guard version.isEmpty || version == "0.3" || version.hasPrefix("0.3."), A2ALegacy.methods[method] != nil else {
            throw A2AFault.version(version)
        }
        return true
    }

    /// What an error is in this protocol.
    /// - Throws: what is no refusal.
    static func fault(_ error: any Error) throws -> JSONRPC.Fault {
        if let fault = error as? JSONRPC.Fault { return fault }
        if let error = error as? JSONFieldError { return .invalidParams("params\(error.pointer) \(error.reason)") }
        guard let problem = (error as? Problem) ?? (error as? any ProblemConvertible)?.problem else { throw error }
        return A2AFault.refused(problem)
    }

    private func stream(_ method: String, _ params: JSONValue, _ ask: A2ADesk.Ask) async throws -> AsyncThrowingStream<
        JSONValue, any Error
    >? {
        switch method {
        case "SendStreamingMessage": try await desk.stream(params, ask)
        case "SubscribeToTask": try await desk.subscribe(try params.object().id("id"), ask)
        default: nil
        }
    }

    private func result(of method: String, _ params: JSONValue, _ ask: A2ADesk.Ask) async throws -> JSONValue {
        switch method {
        case "SendMessage": return try await desk.send(params, ask)
        case "GetTask": return A2ATask.json(try await desk.task(try params.object().id("id"), ask))
        case "ListTasks": return try await desk.list(try params.object(), ask)
        case "CancelTask": return A2ATask.json(try await desk.cancel(try params.object().id("id"), ask))
        case "CreateTaskPushNotificationConfig":
            let fields = try params.object()
            return try await desk.setPush(fields.id("taskId"), fields, ask)
        case "GetTaskPushNotificationConfig":
            let fields = try params.object()
            return try await desk.push(fields.id("taskId"), fields.optionalString("id", bytes: 0...100), ask)
        case "ListTaskPushNotificationConfigs":
            return ["configs": .array(try await desk.listPushes(try params.object().id("taskId"), ask))]
        case "DeleteTaskPushNotificationConfig":
            let fields = try params.object()
            try await desk.endPush(fields.id("taskId"), fields.string("id", bytes: 1...100), ask)
            return .object(JSONObject())
        case "GetExtendedAgentCard": throw A2AFault.noExtendedCard
        default: throw JSONRPC.Fault.unknownMethod(method)
        }
    }
}

extension A2ADesk {
    func setPush(_ id: String, _ fields: JSONFields, _ ask: Ask) async throws -> JSONValue {
        _ = try await task(id, ask)
        try Self.mayWrite(ask.caller)
        return try await pushes.set(try A2APushes.config(fields), task: id, ask)
    }

    func push(_ task: String, _ id: String?, _ ask: Ask) async throws -> JSONValue {
        _ = try await self.task(task, ask)
        return try await pushes.find(task, id, ask)
    }

    func listPushes(_ task: String, _ ask: Ask) async throws -> [JSONValue] {
        _ = try await self.task(task, ask)
        return try await pushes.list(task, ask)
    }

    func endPush(_ task: String, _ id: String, _ ask: Ask) async throws {
        _ = try await self.task(task, ask)
        try Self.mayWrite(ask.caller)
        try await pushes.end(task, id, ask)
    }
}
