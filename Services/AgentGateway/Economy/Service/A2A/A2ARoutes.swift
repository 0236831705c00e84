internal import AgentEconomyDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Telemetry
internal import Web

/// Agent2Agent 1.0 over JSON-RPC: a message finds, asks or hires, and the tasks that come of it are those of `/v1/tasks`.
struct A2ARoutes: Sendable {
    let maker: DecisionMaker<EconomyState>
    let directory: ServiceDirectory
    let hiring: Hiring
    let asking: AskModel
    let address: PublicAddress

    var routes: [Route] { [card, endpoint("/a2a", "a2a"), endpoint("/a2a/{agent}", "a2aAgent")] }

    private var card: Route {
        Route(
            .get, "/.well-known/agent-card.json", operation: "gatewayCard", summary: "The gateway's A2A card.", access: .public,
            replies: [.json(200, "The card.", .any)]
        ) { [address] context in
            .json(AgentForms.gatewayCard(base: address.base(context.request)), headers: ["Cache-Control": "max-age=60"])
        }
    }

    private func endpoint(_ path: String, _ operation: String) -> Route {
        Route(
            .post, path, operation: operation,
            summary: path == "/a2a" ? "A2A with the gateway: find, ask, hire." : "A2A with an agent: a message hires its service.",
            access: .authenticated, headers: [("A2A-Version", "1.0. None means 0.3, which is not spoken here.")],
            body: .json(.any, limit: 1 << 20), replies: [.json(200, "A JSON-RPC answer.", .any)], errors: Self.style
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
        do {
            let version = context.request.headers["A2A-Version"] ?? ""
            guard version == "1.0" else { throw A2AFault.version(version) }
            let params = message["params"] ?? .object(JSONObject())
            return JSONRPC.result(id, try await result(of: method, params, agent, context))
        } catch let fault as JSONRPC.Fault {
            return JSONRPC.fault(id, fault, status: 200)
        } catch let error as JSONFieldError {
            return JSONRPC.fault(id, .invalidParams("params\(error.pointer) \(error.reason)"), status: 200)
        } catch {
            guard let problem = (error as? Problem) ?? (error as? any ProblemConvertible)?.problem else { throw error }
            return JSONRPC.fault(id, A2AFault.refused(problem), status: 200)
        }
    }

    private func result(of method: String, _ params: JSONValue, _ agent: String?, _ context: RequestContext) async throws -> JSONValue {
        let caller = try context.caller
        switch method {
        case "SendMessage": return try await send(params, agent, caller, context)
        case "GetTask":
            return try await task(params, caller)
        case "ListTasks":
            let tasks = try await maker.query { state in
                state.tasks.values.filter { $0.concerns(caller.subject) }.sorted { $0.data.task < $1.data.task }.prefix(100)
                    .map { A2ATask.json($0) }
            }
            return [
                "tasks": .array(Array(tasks)), "nextPageToken": "", "pageSize": .count(tasks.count), "totalSize": .count(tasks.count),
            ]
        case "CancelTask":
            _ = try await task(params, caller)
            let id = try params.object().id("id")
            try Self.mayWrite(caller)
            do {
                _ = try await maker.decide(
                    SpendingDesk.cause(id, "a2a-cancel:" + caller.subject), actor: caller.subject, correlation: context.trace.traceID,
                    TaskRules.reject(id))
            } catch let error as EconomyError { throw A2AFault.notCancelable(error.description) }
            return try await task(params, caller)
        case "SendStreamingMessage", "SubscribeToTask": throw A2AFault.unsupported("\(method): this agent does not stream")
        case "CreateTaskPushNotificationConfig", "GetTaskPushNotificationConfig", "ListTaskPushNotificationConfigs",
            "DeleteTaskPushNotificationConfig":
            throw A2AFault.noPush
        case "GetExtendedAgentCard": throw A2AFault.noExtendedCard
        default: throw JSONRPC.Fault.unknownMethod(method)
        }
    }

    private func task(_ params: JSONValue, _ caller: Caller) async throws -> JSONValue {
        let id = try params.object().id("id")
        guard let task = try await maker.find({ $0.tasks[id] }), task.concerns(caller.subject) else { throw A2AFault.noTask(id) }
        return A2ATask.json(task)
    }

    private static func mayWrite(_ caller: Caller) throws {
        guard caller.has("agents:write") else { throw Problem(.forbidden, "this needs a credential with the scope agents:write") }
    }

    // MARK: Messages

    // Not optimised: the optimiser of Swift 6.3 crashes as it splits this function.
    @_optimize(none)
    private func send(_ params: JSONValue, _ agent: String?, _ caller: Caller, _ context: RequestContext) async throws -> JSONValue {
        let fields = try params.object()
        let message = try fields.object("message")
        let name = try message.string("messageId", bytes: 1...200)
        if message.optionalField("taskId") != nil { throw A2AFault.unsupported("messages to a task that runs") }
        let text = try message.array("parts", count: 1...64).map { part -> String in
            let part = try part.object()
            guard part.optionalField("text") != nil else { throw A2AFault.contentType }
            return try part.string("text", bytes: 0...65_536)
        }.joined(separator: "\n")
        let metadata = try message.optionalObject("metadata") ?? fields.optionalObject("metadata")
        if let service = try await service(metadata, agent) {
            try Self.mayWrite(caller)
            let wish = Hiring.Wish(
                service: service, brief: text, mandate: try metadata?.optionalID("mandate"), approval: try metadata?.optionalID("approval"))
            let hired = try await hiring.hire(
                wish, caller: caller, key: try IdempotencyKey("\"a2a:" + name.filter { $0.isASCII && $0 != "\"" && $0 != "\\" } + "\""),
                body: .object(message.object), correlation: context.trace.traceID)
            guard let task = try await maker.find({ $0.tasks[hired.task.task] }) else { throw A2AFault.noTask(hired.task.task) }
            return ["task": A2ATask.json(task)]
        }
        if let model = try metadata?.optionalID("model") {
            guard caller.has("inferences:write") else {
                throw Problem(.forbidden, "asking a model needs a credential with the scope inferences:write")
            }
            let said = try await asking(
                ModelQuestion(
                    caller: caller, model: model, prompt: text, maximumTokens: 1_024, mandate: try metadata?.optionalID("mandate"),
                    approval: try metadata?.optionalID("approval"), correlation: context.trace.traceID))
            return Self.message(re: name, said["answer"]?.stringValue ?? "", said)
        }
        let found = try await directory.search(words: text, tag: nil, provider: agent, most: nil, limit: 10)
        return Self.message(re: name, "\(found.count) services have these words", ["services": .array(found.map(\.json))])
    }

    /// The service that a message hires: the named one, or the only one of the agent that it is sent to.
    private func service(_ metadata: JSONFields?, _ agent: String?) async throws -> String? {
        if let named = try metadata?.optionalID("service") { return named }
        guard let agent else { return nil }
        let offered = try await maker.query { state in state.services.values.filter { $0.provider == agent }.map(\.service) }
        guard let only = offered.first, offered.count == 1 else {
            throw JSONRPC.Fault.invalidParams(
                "\(agent) offers \(offered.count) services: name one, a skill of its card, in the message's metadata as service")
        }
        return only
    }

    private static func message(re name: String, _ text: String, _ data: JSONValue) -> JSONValue {
        [
            "message": [
                "messageId": .string("re-" + name), "role": "ROLE_AGENT", "parts": [["text": .string(text)], ["data": data]],
            ]
        ]
    }
}
