internal import HTTP
internal import JSON
internal import Web

/// What protects `/mcp` and each agent's door below it (RFC 9728): bearer tokens, which the gateway's own token endpoint gives for a
/// client's signed word, and API keys.
struct ResourceMetadata: Sendable {
    let address: PublicAddress

    private static let path = "/.well-known/oauth-protected-resource"
    /// What the tools ask for.
    static let scopes = ["accounts:read", "agents:write", "attributions:read", "inferences:write"]

    var routes: [Route] {
        [
            document(Self.path, "resourceMetadata"), document(Self.path + "/mcp", "mcpResourceMetadata"),
            document(Self.path + "/mcp/{agent}", "mcpAgentResourceMetadata"),
        ]
    }

    /// The challenge for who shows nothing (RFC 9728 §5.1): where to read on, where that is known: by the deployment, or because the request
    /// was sent to a name that is this machine's alone.
    /// - Parameters:
    ///   - path: that was asked for.
    ///   - host: that the request names.
    static func challenge(_ address: PublicAddress, _ path: String, host: String?) -> String {
        let scope = "scope=\"\(scopes.joined(separator: " "))\""
        guard address.isOwn(host: host) else { return "Bearer realm=\"openledger\", \(scope)" }
        let isPlain = path.utf8.count <= 300 && path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/_-.".contains($0)) }
        return "Bearer resource_metadata=\"\(address.base(host: host))\(Self.path)\(isPlain ? path : "/mcp")\", \(scope)"
    }

    private func document(_ path: String, _ operation: String) -> Route {
        Route(
            .get, path, operation: operation,
            summary: "What protects /mcp (RFC 9728): bearer tokens, who gives them, and for what.", access: .public,
            replies: [.json(200, "The metadata.", .any)]
        ) { [address] context in
            let base = address.base(context.request)
            let door = operation == "mcpAgentResourceMetadata" ? "/mcp/" + context.path["agent"] : "/mcp"
            return .json([
                "resource": .string(base + door), "authorization_servers": [.string(base)], "bearer_methods_supported": ["header"],
                "scopes_supported": .array(Self.scopes.map { .string($0) }), "resource_name": "OpenLedger",
            ])
        }
    }
}
