internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Web

/// A message finds, asks or hires.
extension A2ADesk {
    // Not optimised: the optimiser of Swift 6.3 crashes as it splits this function.
    @_optimize(none)
    func send(_ params: JSONValue, _ ask: Ask) async throws -> JSONValue {
        let fields = try params.object()
        let message = try fields.object("message")
        let name = try message.string("messageId", bytes: 1...200)
        // A message that comes again is the same command, whatever its id is made of.
        let key = "a2a-" + SHA256.hash(utf8: name).hex
        if message.optionalField("taskId") != nil { throw A2AFault.unsupported("messages to a task that runs") }
        let text = try Self.text(message)
        let metadata = try message.optionalObject("metadata") ?? fields.optionalObject("metadata")
        if let service = try await service(metadata, ask.agent) {
            try Self.mayWrite(ask.caller)
            let wanted = try A2APushes.wanted(fields)
            if let wanted { try await pushes.check(wanted, ask) }
            let wish = Hiring.Wish(
                service: service, brief: text, mandate: try metadata?.optionalID("mandate"), approval: try metadata?.optionalID("approval"))
            let hired = try await hiring.hire(
                wish, caller: ask.caller, key: try IdempotencyKey(key), body: .object(message.object), correlation: ask.correlation)
            if let wanted { _ = try await pushes.set(wanted, task: hired.task.task, ask) }
            return ["task": A2ATask.json(try await task(hired.task.task, ask))]
        }
        if let model = try metadata?.optionalID("model") {
            guard ask.caller.has("inferences:write") else {
                throw Problem(.forbidden, "asking a model needs a credential with the scope inferences:write")
            }
            let said = try await asking(
                ModelQuestion(
                    caller: ask.caller, model: model, prompt: text, maximumTokens: 1_024, mandate: try metadata?.optionalID("mandate"),
                    approval: try metadata?.optionalID("approval"), key: key, correlation: ask.correlation))
            return Self.message(re: name, said["answer"]?.stringValue ?? "", said)
        }
        let found = try await directory.search(words: text, tag: nil, provider: ask.agent, most: nil, limit: 10)
        return Self.message(re: name, "\(found.count) services have these words", ["services": .array(found.map(\.json))])
    }

    private static func text(_ message: JSONFields) throws -> String {
        try message.array("parts", count: 1...64).map { part -> String in
            let part = try part.object()
            guard part.optionalField("text") != nil else { throw A2AFault.contentType }
            return try part.string("text", bytes: 0...65_536)
        }.joined(separator: "\n")
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
