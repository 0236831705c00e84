internal import AgentEconomyDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Web

/// What A2A can be asked for, whichever way it is asked: in the shapes of 1.0.
struct A2ADesk: Sendable {
    let maker: DecisionMaker<EconomyState>
    let directory: ServiceDirectory
    let hiring: Hiring
    let asking: AskModel
    let pushes: A2APushes

    /// Who asks, and for whom.
    struct Ask: Sendable {
        let caller: Caller
        /// The agent whose door it is; nil for the gateway's.
        let agent: String?
        let correlation: String
        /// Whether it came by 0.3.
        var isLegacy = false
    }

    func task(_ id: String, _ ask: Ask) async throws -> AgentTask {
        guard let task = try await maker.find({ $0.tasks[id] }), task.concerns(ask.caller.subject) else { throw A2AFault.noTask(id) }
        return task
    }

    /// Tasks of the caller, by their ids.
    func list(_ params: JSONFields, _ ask: Ask) async throws -> JSONValue {
        let size = try params.optionalInt("pageSize", in: 0...100) ?? 0
        let context = try params.optionalString("contextId", bytes: 0...200) ?? ""
        let token = try params.optionalString("pageToken", bytes: 0...200) ?? ""
        let state = try params.optionalString("status", bytes: 0...64).flatMap { $0 == "TASK_STATE_UNSPECIFIED" ? nil : $0 }
        if let state, A2ATask.State(rawValue: state) == nil, !Self.others.contains(state) {
            throw JSONRPC.Fault.invalidParams("params/status must be a state of tasks, not \(state)")
        }
        let hasArtifacts = try params.optionalBool("includeArtifacts") ?? false
        let caller = ask.caller.subject
        let (all, page) = try await maker.query { tasks in
            let all = tasks.tasks.values.filter {
                $0.concerns(caller) && (context.isEmpty || $0.data.root == context)
                    && (state == nil || A2ATask.State($0.phase).rawValue == state)
            }
            let rest = all.filter { $0.data.task > token }.sorted { $0.data.task < $1.data.task }
            return (all.count, (rest.prefix(size == 0 ? 50 : size), rest.count))
        }
        let shown = Array(page.0)
        return [
            "tasks": .array(shown.map { A2ATask.json($0, artifacts: hasArtifacts) }),
            "nextPageToken": .string(page.1 > shown.count ? shown.last?.data.task ?? "" : ""), "pageSize": .count(shown.count),
            "totalSize": .count(all),
        ]
    }

    /// States that A2A has and no task here is ever in.
    private static let others: Set<String> = ["TASK_STATE_REJECTED", "TASK_STATE_AUTH_REQUIRED"]

    func cancel(_ id: String, _ ask: Ask) async throws -> AgentTask {
        _ = try await task(id, ask)
        try Self.mayWrite(ask.caller)
        do {
            _ = try await maker.decide(
                SpendingDesk.cause(id, "a2a-cancel:" + ask.caller.subject), actor: ask.caller.subject, correlation: ask.correlation,
                TaskRules.reject(id))
        } catch let error as EconomyError { throw A2AFault.notCancelable(error.description) }
        return try await task(id, ask)
    }

    static func mayWrite(_ caller: Caller) throws {
        guard caller.has("agents:write") else { throw Problem(.forbidden, "this needs a credential with the scope agents:write") }
    }

    // MARK: Streams

    /// A task, then whatever happens to it, until it is over.
    func follow(_ first: AgentTask) -> AsyncThrowingStream<JSONValue, any Error> {
        AsyncThrowingStream { continuation in
            let work = Task { [maker] in
                continuation.yield(["task": A2ATask.json(first)])
                var last = first
                do {
                    for await _ in await maker.changes() {
                        guard let now = try await maker.find({ $0.tasks[first.data.task] }) else { break }
                        for update in A2ATask.updates(from: last, to: now) { continuation.yield(update) }
                        last = now
                        if now.isOver { break }
                    }
                    continuation.finish()
                } catch { continuation.finish(throwing: error) }
            }
            continuation.onTermination = { _ in work.cancel() }
        }
    }

    /// What a message is answered with, as a stream: a message and its end, or a task to its end.
    func stream(_ params: JSONValue, _ ask: Ask) async throws -> AsyncThrowingStream<JSONValue, any Error> {
        let answer = try await send(params, ask)
        guard let id = answer["task"]?["id"]?.stringValue else {
            return AsyncThrowingStream { continuation in
                continuation.yield(answer)
                continuation.finish()
            }
        }
        return follow(try await task(id, ask))
    }

    func subscribe(_ id: String, _ ask: Ask) async throws -> AsyncThrowingStream<JSONValue, any Error> {
        let task = try await task(id, ask)
        if task.isOver { throw A2AFault.unsupported("the task \(id) is over, and nothing more will happen to it") }
        return follow(task)
    }
}
