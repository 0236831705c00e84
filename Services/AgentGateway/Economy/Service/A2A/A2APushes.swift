internal import AgentEconomyDomain
internal import Crypto
internal import Events
internal import Identity
internal import JSON
internal import Web
internal import Webhooks

/// Push notifications of A2A: webhooks of one task, in A2A's own shape.
struct A2APushes: Sendable {
    let desk: TaskWebhookDesk

    /// Where a task's changes shall be told.
    struct Config: Sendable {
        /// What the client calls it; made from the address when left out.
        let id: String
        let url: String
        let receiver: PushReceiver
    }

    /// What a message asks for along with its task.
    static func wanted(_ fields: JSONFields) throws -> Config? {
        guard let configuration = try fields.optionalObject("configuration") else { return nil }
        return try (configuration.optionalObject("taskPushNotificationConfig") ?? configuration.optionalObject("pushNotificationConfig"))
            .map(config)
    }

    /// Reads a config of either version: 0.3 has a list of schemes.
    static func config(_ fields: JSONFields) throws -> Config {
        let url = try fields.string("url", bytes: 1...2_000)
        let authentication = try fields.optionalObject("authentication")
        let schemes = try authentication?.optionalArray("schemes", count: 0...10)?.map { try $0.string(bytes: 1...40) }
        let id = try fields.optionalString("id", bytes: 0...100) ?? ""
        return Config(
            id: id.isEmpty ? "pc_" + Hex.encode(Array(SHA256.hash(utf8: url).bytes.prefix(8))) : id, url: url,
            receiver: PushReceiver(
                token: try notEmpty(fields, "token", 1_000),
                scheme: try authentication.flatMap { try notEmpty($0, "scheme", 40) } ?? schemes?.first,
                credentials: try authentication.flatMap { try notEmpty($0, "credentials", 4_000) }))
    }

    private static func notEmpty(_ fields: JSONFields, _ name: String, _ most: Int) throws -> String? {
        try fields.optionalString(name, bytes: 0...most).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Throws unless there may be such a config.
    func check(_ config: Config, _ ask: A2ADesk.Ask) async throws {
        for text in [config.receiver.token, config.receiver.scheme, config.receiver.credentials].compactMap({ $0 })
        where !text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
            throw JSONRPC.Fault.invalidParams("token, scheme and credentials must be printable and without blanks")
        }
        try await desk.check(config.url, of: ask.caller.subject, field: "url")
    }

    private func name(_ task: String, _ owner: String, _ id: String) -> String {
        "wh_" + Hex.encode(Array(SHA256.hash(utf8: "openledger/a2a-push\n\(task)\n\(owner)\n\(id)").bytes.prefix(16)))
    }

    /// Sets a config; one of the same id gives way.
    func set(_ config: Config, task: String, _ ask: A2ADesk.Ask) async throws -> JSONValue {
        try await check(config, ask)
        let name = name(task, ask.caller.subject, config.id)
        try await desk.store.set(
            TaskWebhookStore.Wish(
                id: name, owner: ask.caller.subject, form: ask.isLegacy ? .legacy : .a2a, task: task, name: config.id, url: config.url,
                sealed: try desk.secrets.seal(JSON.write(config.receiver.json), of: name), since: await desk.next, command: name,
                digest: ""))
        return Self.json(config.id, task, config.url, config.receiver)
    }

    /// What is shown of a config: never its credentials.
    private static func json(_ id: String, _ task: String, _ url: String, _ receiver: PushReceiver) -> JSONValue {
        .members([
            "id": .string(id), "taskId": .string(task), "url": .string(url), "token": receiver.token.map { .string($0) },
            "authentication": receiver.scheme.map { ["scheme": .string($0)] },
        ])
    }

    func list(_ task: String, _ ask: A2ADesk.Ask) async throws -> [JSONValue] {
        let webhooks = try await desk.store.webhooks(of: ask.caller.subject, task: task)
        return try shown(webhooks.filter { $0.form != .standard }, task)
    }

    private func shown(_ webhooks: [TaskWebhook], _ task: String) throws -> [JSONValue] {
        try webhooks.map { webhook in
            let receiver = try webhook.sealed.map { PushReceiver(try JSON.parse(try desk.secrets.open($0, of: webhook.id))) }
            return Self.json(
                webhook.name ?? "", task, webhook.url, receiver ?? PushReceiver(token: nil, scheme: nil, credentials: nil))
        }
    }

    func find(_ task: String, _ id: String?, _ ask: A2ADesk.Ask) async throws -> JSONValue {
        let all = try await list(task, ask)
        guard let found = id == nil || id == "" ? all.first : all.first(where: { $0["id"]?.stringValue == id }) else {
            throw A2AFault.noTask("\(task) with a push notification config \(id ?? "")")
        }
        return found
    }

    /// Ends a config; one that is not there is ended already.
    func end(_ task: String, _ id: String, _ ask: A2ADesk.Ask) async throws {
        try await desk.queue.end(name(task, ask.caller.subject, id))
    }
}
