internal import AgentEconomyDomain
internal import Events
internal import JSON
internal import Money
internal import Web

/// A task as A2A 1.0 has it.
enum A2ATask {
    static func json(_ task: AgentTask) -> JSONValue {
        [
            "id": .string(task.data.task), "contextId": .string(task.data.root), "status": ["state": .string(state(task.phase))],
            "artifacts": .array(task.artefacts.enumerated().map { index, artefacts in artifact(index, artefacts) }),
            "metadata": ["openledger": task.view],
        ]
    }

    /// What was delivered waits for the client's word: input is required.
    private static func state(_ phase: AgentTask.Phase) -> String {
        switch phase {
        case .open: "TASK_STATE_SUBMITTED"
        case .funded: "TASK_STATE_WORKING"
        case .submitted: "TASK_STATE_INPUT_REQUIRED"
        case .completed: "TASK_STATE_COMPLETED"
        case .rejected: "TASK_STATE_CANCELED"
        case .expired: "TASK_STATE_FAILED"
        }
    }

    private static func artifact(_ stage: Int, _ artefacts: [TaskArtefact]) -> JSONValue {
        [
            "artifactId": .string("stage-\(stage)"),
            "parts": .array(artefacts.map { ["data": $0.json] }),
        ]
    }
}

/// A2A's own errors (§ Error Handling), with the ErrorInfo that tells them apart.
enum A2AFault {
    private static func fault(_ code: Int, _ reason: String, _ message: String, _ more: JSONObject = JSONObject()) -> JSONRPC.Fault {
        JSONRPC.Fault(
            code: code, message: message,
            data: [
                [
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": .string(reason), "domain": "a2a-protocol.org",
                    "metadata": .object(more),
                ]
            ])
    }

    static func noTask(_ id: String) -> JSONRPC.Fault { fault(-32_001, "TASK_NOT_FOUND", "there is no task \(id)") }
    static func notCancelable(_ why: String) -> JSONRPC.Fault { fault(-32_002, "TASK_NOT_CANCELABLE", why) }
    static var noPush: JSONRPC.Fault { fault(-32_003, "PUSH_NOTIFICATION_NOT_SUPPORTED", "push notifications are not sent") }
    static func unsupported(_ what: String) -> JSONRPC.Fault { fault(-32_004, "UNSUPPORTED_OPERATION", "not supported: \(what)") }
    static var contentType: JSONRPC.Fault { fault(-32_005, "CONTENT_TYPE_NOT_SUPPORTED", "parts must be text") }
    static var noExtendedCard: JSONRPC.Fault {
        fault(-32_007, "EXTENDED_AGENT_CARD_NOT_CONFIGURED", "there is no extended card")
    }
    static func version(_ given: String) -> JSONRPC.Fault {
        fault(
            -32_009, "VERSION_NOT_SUPPORTED",
            "A2A \(given.isEmpty ? "0.3 (no A2A-Version)" : String(given.prefix(20))) is not spoken here, 1.0 is")
    }

    /// What the economy refuses has no code of its own in A2A.
    static func refused(_ problem: Problem) -> JSONRPC.Fault {
        fault(
            -32_602, problem.type.code.uppercased().split(separator: "-").joined(separator: "_"), problem.detail,
            ["status": .string(String(problem.status))])
    }
}
