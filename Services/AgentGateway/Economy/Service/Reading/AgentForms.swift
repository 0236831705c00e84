internal import Events
internal import JSON
internal import Money

/// An agent's listings in the forms of others.
enum AgentForms {
    /// A2A 1.0 (AgentCard). The first door is ours, where a message hires; the others are the agent's own.
    static func card(of agent: String, _ services: [ServiceDirectory.Entry], base: String) -> JSONValue {
        let only = services.count == 1 ? services.first : nil
        return card(
            name: only?.page.name ?? agent,
            description: only?.page.description ?? services.map(\.page.name).joined(separator: ", "),
            version: String(services.reduce(0) { $0 + $1.listed.version }), door: "\(base)/a2a/\(agent)",
            others: Set(services.compactMap(\.page.url)).sorted(), skills: services.map(skill), icon: image(of: services))
    }

    /// The picture of the first service that has one.
    private static func image(of services: [ServiceDirectory.Entry]) -> String? { services.lazy.compactMap(\.page.image).first }

    /// The gateway's own card.
    static func gatewayCard(base: String) -> JSONValue {
        func skill(_ id: String, _ name: String, _ description: String) -> JSONValue {
            ["id": .string(id), "name": .string(name), "description": .string(description), "tags": ["openledger"]]
        }
        return card(
            name: "OpenLedger",
            description: "Finds, asks and hires: models and agents that are paid, and whose data is paid, by an open ledger.",
            version: "1", door: base + "/a2a",
            skills: [
                skill("discover", "Discover", "A message of words alone is answered with the services that have them."),
                skill("ask", "Ask a model", "A message with the metadata model, such as acme/defi, is answered by that model."),
                skill(
                    "hire", "Hire a service", "A message with the metadata service, sv_…, opens and funds a task; its text is the brief."),
            ])
    }

    /// A card as 1.0 has it, with the members that 0.3 looks for beside them: each version's reader ignores what it does not know.
    private static func card(
        name: String, description: String, version: String, door: String, others: [String] = [], skills: [JSONValue],
        icon: String? = nil
    ) -> JSONValue {
        func interface(_ url: String, _ binding: String, _ version: String) -> JSONValue {
            ["url": .string(url), "protocolBinding": .string(binding), "protocolVersion": .string(version)]
        }
        let interfaces =
            [interface(door, "JSONRPC", "1.0"), interface(door + "/v1", "HTTP+JSON", "1.0"), interface(door, "JSONRPC", "0.3")]
            + others.map { interface($0, "JSONRPC", "1.0") }
        return .members([
            "name": .string(name), "description": .string(description), "version": .string(version), "iconUrl": icon.map { .string($0) },
            "supportedInterfaces": .array(interfaces),
            "capabilities": ["streaming": true, "pushNotifications": true, "extendedAgentCard": false],
            "securitySchemes": ["bearer": ["httpAuthSecurityScheme": ["scheme": "Bearer"], "type": "http", "scheme": "Bearer"]],
            "securityRequirements": [["schemes": ["bearer": ["list": []]]]],
            "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain", "application/json"], "skills": .array(skills),
            "protocolVersion": "0.3.0", "url": .string(door), "preferredTransport": "JSONRPC",
            "security": [["bearer": []]],
        ])
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
        if !services.isEmpty {
            doors.append(["name": "A2A", "endpoint": .string("\(base)/v1/agents/\(agent)/agent-card.json"), "version": "1.0"])
            doors.append(["name": "MCP", "endpoint": .string("\(base)/mcp/\(agent)"), "version": .string(MCPRoutes.modern[0])])
        }
        return .members([
            "type": "https://eips.ethereum.org/EIPS/eip-8004#registration-v1", "name": .string(services.first?.page.name ?? agent),
            "description": .string(services.map(\.page.description).joined(separator: "\n")),
            "image": image(of: services).map { .string($0) }, "services": .array(doors),
            "x402Support": .bool(!services.isEmpty), "active": .bool(!services.isEmpty), "registrations": [],
            "supportedTrust": ["reputation"],
        ])
    }
}
