internal import Events
internal import JSON
internal import Money

/// An agent's listings in the forms of others.
enum AgentForms {
    /// A2A 1.0 (AgentCard): nil when none of the services says where the agent answers.
    static func card(of agent: String, _ services: [ServiceDirectory.Entry]) -> JSONValue? {
        guard let first = services.first(where: { $0.page.url != nil }) else { return nil }
        var interfaces: [JSONValue] = []
        for url in Set(services.compactMap(\.page.url)).sorted() {
            interfaces.append(["url": .string(url), "protocolBinding": "JSONRPC", "protocolVersion": "1.0"])
        }
        return [
            "name": .string(services.count == 1 ? first.page.name : agent), "description": .string(first.page.description),
            "version": .string(String(services.reduce(0) { $0 + $1.listed.version })), "supportedInterfaces": .array(interfaces),
            "capabilities": ["streaming": .bool(false), "pushNotifications": .bool(false)],
            "defaultInputModes": ["text/plain", "application/json"], "defaultOutputModes": ["text/plain", "application/json"],
            "skills": .array(services.filter { $0.page.url != nil }.map(skill)),
        ]
    }

    /// A service as a skill.
    static func skill(_ entry: ServiceDirectory.Entry) -> JSONValue {
        [
            "id": .string(entry.listed.service), "name": .string(entry.page.name), "description": .string(entry.page.description),
            "tags": .texts(entry.page.tags),
        ]
    }

    /// ERC-8004 (registration-v1). It is in no registry until somebody enters it there, so `registrations` is empty.
    static func registration(of agent: String, _ services: [ServiceDirectory.Entry], base: String) -> JSONValue {
        var doors: [JSONValue] = [
            ["name": "web", "endpoint": .string("\(base)/v1/agents/\(agent)")]
        ]
        if services.contains(where: { $0.page.url != nil }) {
            doors.append(["name": "A2A", "endpoint": .string("\(base)/v1/agents/\(agent)/agent-card.json"), "version": "1.0"])
        }
        return [
            "type": "https://eips.ethereum.org/EIPS/eip-8004#registration-v1", "name": .string(services.first?.page.name ?? agent),
            "description": .string(services.map(\.page.description).joined(separator: "\n")), "services": .array(doors),
            "x402Support": .bool(false), "active": .bool(!services.isEmpty), "registrations": [], "supportedTrust": ["reputation"],
        ]
    }
}
