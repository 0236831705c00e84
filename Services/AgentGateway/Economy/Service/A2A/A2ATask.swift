internal import AgentEconomyDomain
internal import Events
internal import JSON
internal import Money

/// A task as A2A 1.0 has it, and what is told while it runs.
enum A2ATask {
    /// A task's state.
    enum State: String, Sendable {
        case submitted = "TASK_STATE_SUBMITTED"
        case working = "TASK_STATE_WORKING"
        /// What was delivered waits for the client's word.
        case inputRequired = "TASK_STATE_INPUT_REQUIRED"
        case completed = "TASK_STATE_COMPLETED"
        case canceled = "TASK_STATE_CANCELED"
        case failed = "TASK_STATE_FAILED"

        init(_ phase: AgentTask.Phase) {
            self =
                switch phase {
                case .open: .submitted
                case .funded: .working
                case .submitted: .inputRequired
                case .completed: .completed
                case .rejected: .canceled
                case .expired: .failed
                }
        }

        /// Its name in A2A 0.3: `input-required`.
        var legacy: String {
            rawValue.dropFirst("TASK_STATE_".count).lowercased().split(separator: "_").joined(separator: "-")
        }
    }

    static func json(_ task: AgentTask, artifacts: Bool = true) -> JSONValue {
        .members([
            "id": .string(task.data.task), "contextId": .string(task.data.root), "status": status(task),
            "artifacts": artifacts ? .array(task.artefacts.indices.map { artifact($0, task.artefacts[$0]) }) : nil,
            "metadata": ["openledger": task.view],
        ])
    }

    private static func status(_ task: AgentTask) -> JSONValue { ["state": .string(State(task.phase).rawValue)] }

    private static func artifact(_ stage: Int, _ artefacts: [TaskArtefact]) -> JSONValue {
        ["artifactId": .string("stage-\(stage)"), "parts": .array(artefacts.map { ["data": $0.json] })]
    }

    /// What has happened to a task since it was last told of: stages that were delivered, then where it is. Several changes may be told as one.
    static func updates(from old: AgentTask, to new: AgentTask) -> [JSONValue] {
        let place: [(String, JSONValue)] = [("taskId", .string(new.data.task)), ("contextId", .string(new.data.root))]
        var updates = (old.artefacts.count..<max(old.artefacts.count, new.artefacts.count)).map { stage -> JSONValue in
            let more: [(String, JSONValue)] = [("artifact", artifact(stage, new.artefacts[stage])), ("lastChunk", true)]
            return ["artifactUpdate": .object(JSONObject(place + more))]
        }
        if old.phase != new.phase || old.milestone != new.milestone {
            let more: [(String, JSONValue)] = [("status", status(new)), ("metadata", ["openledger": new.view])]
            updates.append(["statusUpdate": .object(JSONObject(place + more))])
        }
        return updates
    }
}
