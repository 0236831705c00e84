internal import Events
internal import JSON

/// A2A 0.3: the same in its older shapes, with `kind` to tell them apart.
enum A2ALegacy {
    /// What a method of 0.3 is called in 1.0.
    static let methods = [
        "message/send": "SendMessage", "message/stream": "SendStreamingMessage", "tasks/get": "GetTask", "tasks/cancel": "CancelTask",
        "tasks/resubscribe": "SubscribeToTask", "tasks/pushNotificationConfig/set": "CreateTaskPushNotificationConfig",
        "tasks/pushNotificationConfig/get": "GetTaskPushNotificationConfig",
        "tasks/pushNotificationConfig/list": "ListTaskPushNotificationConfigs",
        "tasks/pushNotificationConfig/delete": "DeleteTaskPushNotificationConfig",
        "agent/getAuthenticatedExtendedCard": "GetExtendedAgentCard",
    ]

    /// The parameters of a method, as 1.0 has them.
    static func params(_ method: String, _ params: JSONValue) -> JSONValue {
        guard method.hasPrefix("tasks/pushNotificationConfig/"), let fields = params.objectValue else { return params }
        guard method.hasSuffix("/set") else {
            return .members(["taskId": fields["id"], "id": fields["pushNotificationConfigId"]])
        }
        let config = fields["pushNotificationConfig"]?.objectValue?.members.map { ($0.key, $0.value) } ?? []
        return .object(JSONObject([("taskId", fields["taskId"] ?? .null)] + config))
    }

    /// The answer to a method, from that of 1.0.
    static func result(_ method: String, _ result: JSONValue) -> JSONValue {
        switch method {
        case "tasks/get", "tasks/cancel": task(result)
        case "tasks/pushNotificationConfig/set", "tasks/pushNotificationConfig/get": config(result)
        case "tasks/pushNotificationConfig/list": .array((result["configs"]?.arrayValue ?? []).map(config))
        case "tasks/pushNotificationConfig/delete": .null
        default: event(result)
        }
    }

    /// What stands in a stream, or answers a message.
    static func event(_ event: JSONValue) -> JSONValue {
        if let task = event["task"] { return self.task(task) }
        if let message = event["message"]?.objectValue {
            return adding(
                "message", message.members.filter { $0.key != "role" && $0.key != "parts" }.map { ($0.key, $0.value) },
                ["role": "agent", "parts": parts(message["parts"])])
        }
        if let update = event["statusUpdate"]?.objectValue {
            let ends: Set<String> = ["TASK_STATE_COMPLETED", "TASK_STATE_CANCELED", "TASK_STATE_FAILED"]
            return adding(
                "status-update", update.members.filter { $0.key != "status" }.map { ($0.key, $0.value) },
                ["status": status(update["status"]), "final": .bool(ends.contains(update["status"]?["state"]?.stringValue ?? ""))])
        }
        if let update = event["artifactUpdate"]?.objectValue {
            return adding(
                "artifact-update", update.members.filter { $0.key != "artifact" }.map { ($0.key, $0.value) },
                ["artifact": artifact(update["artifact"] ?? .null)])
        }
        return event
    }

    private static func task(_ task: JSONValue) -> JSONValue {
        let members = (task.objectValue?.members ?? []).filter { $0.key != "status" && $0.key != "artifacts" }.map { ($0.key, $0.value) }
        return adding(
            "task", members,
            ["status": status(task["status"]), "artifacts": .array((task["artifacts"]?.arrayValue ?? []).map(artifact))])
    }

    private static func status(_ status: JSONValue?) -> JSONValue {
        let state = status?["state"]?.stringValue.flatMap { A2ATask.State(rawValue: $0) }
        return .members(["state": .string(state?.legacy ?? "unknown"), "timestamp": status?["timestamp"]])
    }

    private static func artifact(_ artifact: JSONValue) -> JSONValue {
        .members(["artifactId": artifact["artifactId"], "parts": parts(artifact["parts"])])
    }

    private static func parts(_ parts: JSONValue?) -> JSONValue {
        .array(
            (parts?.arrayValue ?? []).map { part in
                adding(part["text"] == nil ? "data" : "text", (part.objectValue?.members ?? []).map { ($0.key, $0.value) }, [:])
            })
    }

    private static func config(_ config: JSONValue) -> JSONValue {
        [
            "taskId": config["taskId"] ?? .null,
            "pushNotificationConfig": .members([
                "id": config["id"], "url": config["url"], "token": config["token"],
                "authentication": config["authentication"]?["scheme"].map { ["schemes": [$0]] },
            ]),
        ]
    }

    private static func adding(_ kind: String, _ members: [(String, JSONValue)], _ more: JSONObject) -> JSONValue {
        .object(JSONObject([("kind", .string(kind))] + members + more.members.map { ($0.key, $0.value) }))
    }
}
