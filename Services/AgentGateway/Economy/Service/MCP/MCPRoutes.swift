internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Telemetry
internal import Web

/// The Model Context Protocol on one endpoint: 2026-07-28, where every request stands for itself, and 2025-11-25 with its handshake, which
/// is kept without sessions. `/mcp` has all tools, `/mcp/{agent}` those that hire that agent.
struct MCPRoutes: Sendable {
    let maker: DecisionMaker<EconomyState>
    let tools: EconomyTools
    let offers: ServiceTools
    let receipts: ReceiptResources
    let address: PublicAddress

    var routes: [Route] {
        [endpoint("/mcp", operation: "mcp"), endpoint("/mcp/{agent}", operation: "mcpAgent")] + ResourceMetadata(address: address).routes
    }

    /// Revisions where each request names its version, newest first.
    static let modern = ["2026-07-28"]
    /// Revisions that begin with a handshake, newest first.
    static let legacy = ["2025-11-25", "2025-06-18", "2025-03-26"]
    static let versionKey = "io.modelcontextprotocol/protocolVersion"
    static let capabilitiesKey = "io.modelcontextprotocol/clientCapabilities"

    private static let instructions = """
        Find services and Datanets, ask models, hire agents, and see what was paid to whom and why. Money is in minor units of an asset, as text. \
        What you spend is limited by your mandates.
        """

    /// Errors of the rules that all routes share, in this protocol's shape.
    private var style: ErrorStyle {
        ErrorStyle(type: "application/json") { [address] problem, place in
            var headers = problem.headers
            headers.set("Content-Type", "application/json")
            if problem.status == 401 {
                headers.set("WWW-Authenticate", ResourceMetadata.challenge(address, place.instance, host: place.host))
            }
            let code = problem.type.code == "bad-body" ? -32_700 : problem.status < 500 ? -32_600 : -32_603
            return Response(
                status: problem.status, headers: headers,
                body: .bytes(
                    JSON.write([
                        "jsonrpc": "2.0", "id": .null,
                        "error": [
                            "code": .int(Int64(code)), "message": .string(problem.detail),
                            "data": ["type": .string(problem.type.address), "requestId": .string(place.requestID)],
                        ],
                    ])))
        }
    }

    private func endpoint(_ path: String, operation: String) -> Route {
        Route(
            .post, path, operation: operation,
            summary: path == "/mcp"
                ? "The Model Context Protocol: tools to find, ask, hire and prove, and receipts to read."
                : "The Model Context Protocol at an agent's own door: a tool for each of its services.",
            access: .authenticated,
            headers: [
                ("MCP-Protocol-Version", "The revision."), ("Mcp-Method", "The method, as in the body."),
                ("Mcp-Name", "The tool or resource, as in the body."), ("Origin", "Refused unless it is this gateway's."),
            ], body: .json(.any, limit: 1 << 20),
            replies: [.json(200, "A JSON-RPC answer.", .any), .empty(202, "A notification was taken.")],
            problems: [.forbidden, .notFound], errors: style
        ) { context in try await answer(context, at: path == "/mcp" ? nil : context.path["agent"]) }
    }

    private func answer(_ context: RequestContext, at agent: String?) async throws -> Response {
        if let origin = context.request.headers["Origin"], origin != address.base(context.request) {
            throw Problem(.forbidden, "requests from pages of \(origin.prefix(100)) are not taken", field: "Origin")
        }
        if let agent, try await maker.find({ $0.parties[agent] }) == nil { throw EconomyError.notFound("principal \(agent)") }
        guard let message = context.json.objectValue, message["jsonrpc"]?.stringValue == "2.0" else {
            return JSONRPC.fault(.null, .invalidRequest("the body must be one JSON-RPC 2.0 message"), status: 400)
        }
        guard let id = message["id"] else {
            return Response(status: 202)
        }
        guard id.stringValue != nil || id.intValue != nil, let method = message["method"]?.stringValue else {
            return JSONRPC.fault(.null, .invalidRequest("a request has an id, a text or whole number, and a method"), status: 400)
        }
        let params = message["params"] ?? .object(JSONObject())
        let isModern =
            params["_meta"]?[Self.versionKey] != nil || Self.modern.contains(context.request.headers["MCP-Protocol-Version"] ?? "")
        // A client of the handshake names the revision that it agreed on (2025-06-18 and later, basic/transports); older ones name none.
        if !isModern, method != "initialize", let named = context.request.headers["MCP-Protocol-Version"], !Self.legacy.contains(named) {
            return JSONRPC.fault(
                id, .invalidRequest("MCP-Protocol-Version must be one of \(Self.legacy.joined(separator: ", "))"), status: 400)
        }
        do {
            if isModern { try Self.check(context, method, params) }
            let result = try await result(of: method, params, isModern, context, at: agent)
            return JSONRPC.result(id, result)
        } catch let fault as JSONRPC.Fault {
            return JSONRPC.fault(id, fault, status: isModern ? fault.status : 200)
        }
    }

    /// The headers must say what the body says, and the revision must be one that is spoken here.
    private static func check(_ context: RequestContext, _ method: String, _ params: JSONValue) throws(JSONRPC.Fault) {
        guard let meta = params["_meta"]?.objectValue, let version = meta[versionKey] else {
            throw .invalidParams("params._meta must have \(versionKey) and \(capabilitiesKey)")
        }
        guard meta[capabilitiesKey]?.objectValue != nil else {
            throw .invalidParams("params._meta must have \(capabilitiesKey), an object")
        }
        guard let version = version.stringValue else { throw .invalidParams("\(versionKey) must be a text") }
        let headers = context.request.headers
        for name in ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"] where headers.all(name).count > 1 {
            throw .headerMismatch("\(name) was given more than once")
        }
        guard headers["MCP-Protocol-Version"] == version else { throw .headerMismatch("MCP-Protocol-Version is not what the body says") }
        guard headers["Mcp-Method"] == method else { throw .headerMismatch("Mcp-Method is not what the body says") }
        let named: JSONValue? = method == "tools/call" ? params["name"] : method == "resources/read" ? params["uri"] : nil
        if let name = named?.stringValue {
            guard decoded(headers["Mcp-Name"]) == name else { throw .headerMismatch("Mcp-Name is not what the body says") }
        }
        guard modern.contains(version) else { throw .unsupportedVersion(version, modern) }
    }

    /// A header's value; what no header can carry comes as `=?base64?…?=`.
    private static func decoded(_ value: String?) -> String? {
        guard let value, value.hasPrefix("=?base64?"), value.hasSuffix("?="), value.utf8.count >= 11 else { return value }
        return Base64.decode(String(value.dropFirst(9).dropLast(2))).map { String(decoding: $0, as: UTF8.self) }
    }

    private func result(
        of method: String, _ params: JSONValue, _ isModern: Bool, _ context: RequestContext, at agent: String?
    ) async throws -> JSONValue {
        switch (method, isModern) {
        case ("server/discover", true):
            return Self.cached(
                [
                    ("supportedVersions", .array(Self.modern.map { .string($0) })), ("capabilities", Self.capabilities),
                    ("instructions", .string(Self.instructions)),
                    ("_meta", ["io.modelcontextprotocol/serverInfo": Self.server]),
                ], isModern)
        case ("initialize", false):
            let asked = params["protocolVersion"]?.stringValue ?? ""
            return [
                "protocolVersion": .string(Self.legacy.contains(asked) ? asked : Self.legacy[0]),
                "capabilities": Self.capabilities, "serverInfo": Self.server,
                "instructions": .string(Self.instructions),
            ]
        case ("ping", false): return .object(JSONObject())
        case ("tools/list", _):
            let page = try await offers.list(own: agent == nil ? tools.all : tools.atAgents, of: agent, cursor: params["cursor"])
            return Self.cached([("tools", .array(page.tools))] + (page.next.map { [("nextCursor", .string($0))] } ?? []), isModern)
        case ("tools/call", _):
            guard let name = params["name"]?.stringValue else { throw JSONRPC.Fault.invalidParams("name must be a text") }
            var named = (agent == nil ? tools.all : tools.atAgents).first { $0.name == name }
            if named == nil { named = try await offers.tool(name, of: agent) }
            guard let tool = named else { throw ServiceTools.unknown(name) }
            return Self.complete(try await call(tool, params["arguments"] ?? .object(JSONObject()), context), isModern)
        case ("resources/list", _):
            return Self.own([("resources", try await Self.told { try await receipts.list(try context.caller) })], isModern)
        case ("resources/templates/list", _): return Self.cached([("resourceTemplates", ReceiptResources.templates)], isModern)
        case ("resources/read", _):
            guard let uri = params["uri"]?.stringValue else { throw JSONRPC.Fault.invalidParams("uri must be a text") }
            return Self.own(
                [("contents", try await Self.told { try await receipts.read(uri, try context.caller, isModern: isModern) })], isModern)
        default: throw JSONRPC.Fault.unknownMethod(method)
        }
    }

    private static let capabilities: JSONValue = [
        "tools": ["listChanged": false], "resources": ["listChanged": false, "subscribe": false],
    ]

    /// What is refused while a resource is read has no result to stand in.
    private static func told(_ read: () async throws -> JSONValue) async throws -> JSONValue {
        do { return try await read() } catch let problem as Problem {
            throw JSONRPC.Fault(code: problem.status < 500 ? -32_602 : -32_603, message: problem.detail)
        }
    }

    /// What a tool says; what it refuses is a result too, so that the model sees why.
    private func call(_ tool: Tool, _ arguments: JSONValue, _ context: RequestContext) async throws -> [(String, JSONValue)] {
        let said: JSONValue
        var failed = false
        do {
            guard arguments.objectValue != nil else { throw JSONRPC.Fault.invalidParams("arguments must be an object") }
            let caller = try context.caller
            if let scope = tool.scope, !caller.has(scope) {
                throw Problem(.forbidden, "the tool \(tool.name) needs a credential with the scope \(scope)")
            }
            said = try await tool.call(ToolCall(caller: caller, arguments: try arguments.object(), correlation: context.trace.traceID))
        } catch let fault as JSONRPC.Fault {
            throw fault
        } catch let error as JSONFieldError {
            throw JSONRPC.Fault.invalidParams("arguments\(error.pointer) \(error.reason)")
        } catch {
            guard let problem = (error as? Problem) ?? (error as? any ProblemConvertible)?.problem else { throw error }
            failed = true
            said = .members([
                "problem": .string(problem.type.code), "status": .count(problem.status), "detail": .string(problem.detail),
            ])
        }
        let text = String(decoding: JSON.write(said), as: UTF8.self)
        return [
            ("content", [["type": "text", "text": .string(text)]]), ("structuredContent", said), ("isError", .bool(failed)),
        ]
    }

    private static let server: JSONValue = ["name": "openledger", "title": "OpenLedger", "version": "1"]

    private static func complete(_ members: [(String, JSONValue)], _ isModern: Bool) -> JSONValue {
        .object(JSONObject((isModern ? [("resultType", "complete")] : []) + members))
    }

    /// The same to everybody, for a minute.
    private static func cached(_ members: [(String, JSONValue)], _ isModern: Bool) -> JSONValue {
        complete((isModern ? [("ttlMs", 60_000), ("cacheScope", "public")] : []) + members, isModern)
    }

    /// The caller's alone, and new the next moment.
    private static func own(_ members: [(String, JSONValue)], _ isModern: Bool) -> JSONValue {
        complete((isModern ? [("ttlMs", 0), ("cacheScope", "private")] : []) + members, isModern)
    }
}
