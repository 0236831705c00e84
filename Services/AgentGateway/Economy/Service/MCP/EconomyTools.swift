internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Web

/// The tools: what an agent does here, each the same as the REST route that it stands for.
struct EconomyTools: Sendable {
    let maker: DecisionMaker<EconomyState>
    let peers: Peers
    let directory: ServiceDirectory
    let names: ReputationDesk
    let hiring: Hiring
    let asking: AskModel

    var all: [Tool] { [datanets, models, ask, explain, services, quote, hire, task, balance, mandates, reputation, proof] }
    /// Those that go with hiring an agent's services at its own door.
    var atAgents: [Tool] { [quote, task, balance, mandates, reputation, proof] }

    private static let text: JSONValue = ["type": "string", "minLength": 1]
    private static func text(_ meaning: String) -> JSONValue { ["type": "string", "minLength": 1, "description": .string(meaning)] }
    private static func number(_ least: Int64, _ most: Int64, _ meaning: String) -> JSONValue {
        ["type": "integer", "minimum": .int(least), "maximum": .int(most), "description": .string(meaning)]
    }

    /// Most Datanets that one search looks at, and most that it gives.
    private static let mostSearched = 2_000
    private static let mostFound = 100

    // MARK: Data and models

    private var datanets: Tool {
        Tool(
            name: "search_datanets", description: "Finds Datanets, collections of licensed data, by words in their pages.",
            arguments: [("words", Self.text("All must be there; all Datanets when left out."), false)], scope: nil, isReading: true
        ) { [peers] call in
            let wanted = try call.arguments.optionalString("words", bytes: 1...400).map(ServicePage.words) ?? []
            var ids: [JSONValue] = []
            var cursor: String?
            repeat {
                let path = "/v1/datanets?limit=100" + (cursor.map { "&cursor=" + $0 } ?? "")
                let page = try await relayed { try await peers.call("GET", .datanet, path) }
                ids += page["items"]?.arrayValue ?? []
                cursor = page["next"]?.stringValue
            } while cursor != nil && ids.count < Self.mostSearched
            var found: [JSONValue] = []
            for item in ids where found.count < Self.mostFound {
                guard let id = item["id"]?.stringValue else { continue }
                let datanet = try await relayed { try await peers.call("GET", .datanet, "/v1/datanets/" + id) }
                let page = datanet["page"]
                let words =
                    [id, datanet["domain"]?.stringValue, page?["name"]?.stringValue, page?["summary"]?.stringValue]
                    .compactMap { $0 } + (page?["tags"]?.arrayValue ?? []).compactMap(\.stringValue)
                if wanted.isSubset(of: ServicePage.words(words.joined(separator: " "))) { found.append(datanet) }
            }
            return ["datanets": .array(found)]
        }
    }

    private var models: Tool {
        Tool(
            name: "list_models", description: "The models that may be asked, with their price.", arguments: [], scope: nil, isReading: true
        ) { [peers] call in
            let models = try await relayed { try await peers.call("GET", .agentGateway, "/v1/models") }
            return ["models": models["data"] ?? []]
        }
    }

    private var ask: Tool {
        Tool(
            name: "ask_model",
            description: """
                Asks a model. The answer says what it cost and where it stands on the log. The same key again gets the first answer and \
                costs nothing more.
                """,
            arguments: [
                ("model", Self.text("Such as acme/defi; list_models has them."), true), ("prompt", Self.text, true),
                ("max_tokens", Self.number(1, 8_192, "Most tokens of the answer; 256 when left out."), false),
                ("key", Self.text("Your own name for this question, up to 100 letters and digits."), false),
                ("mandate", Self.text("The mandate that pays, where there are several."), false),
                ("approval", Self.text("A human's word, where the amount needs one."), false),
            ], scope: "inferences:write", isReading: false
        ) { [asking] call in
            let fields = call.arguments
            return try await asking(
                ModelQuestion(
                    caller: call.caller, model: try fields.id("model"), prompt: try fields.string("prompt", bytes: 1...262_144),
                    maximumTokens: try fields.optionalInt("max_tokens", in: 1...8_192) ?? 256,
                    mandate: try fields.optionalID("mandate"), approval: try fields.optionalID("approval"),
                    key: try fields.optionalString("key", bytes: 1...100), correlation: call.correlation))
        }
    }

    private var explain: Tool {
        Tool(
            name: "explain_attribution", description: "Whose data shaped an answer, by which method, with what confidence.",
            arguments: [("inference", Self.text("The answer's id, in_…"), true)], scope: "attributions:read", isReading: true
        ) { [peers] call in
            let id = try Self.name(call.arguments, "inference")
            return ["attribution": try await relayed { try await peers.call("GET", .attribution, "/v1/attributions/" + id) }]
        }
    }

    // MARK: Hiring

    private var services: Tool {
        Tool(
            name: "search_services", description: "Finds services that agents offer, the best fit first.",
            arguments: [
                ("words", Self.text("All must be there."), false), ("tag", Self.text, false),
                ("limit", Self.number(1, 50, "10 when left out."), false),
            ], scope: nil, isReading: true
        ) { [directory] call in
            let fields = call.arguments
            let found = try await directory.search(
                words: try fields.optionalString("words", bytes: 1...400), tag: try fields.optionalString("tag", bytes: 1...40),
                provider: nil,
                most: nil, limit: try fields.optionalInt("limit", in: 1...50) ?? 10)
            return ["services": .array(found.map(\.json))]
        }
    }

    private var quote: Tool {
        Tool(
            name: "quote", description: "What a service costs, how fast it is, and what settled work says of who offers it.",
            arguments: [("service", Self.text("sv_…"), true)], scope: nil, isReading: true
        ) { [directory, names] call in
            let id = try call.arguments.id("service")
            guard let entry = try await directory.entry(id) else { throw EconomyError.notFound("service \(id)") }
            let provider = entry.listed.provider
            let names = try await names.names(of: provider)
            return ["listing": entry.json, "reputation": .array(names.map(\.json))]
        }
    }

    private var hire: Tool {
        Tool(
            name: "hire",
            description: "Hires a service: opens a task at its price and reserves the money. The same key again gets the same task.",
            arguments: [
                ("service", Self.text("sv_…"), true), ("brief", Self.text("What shall be done."), true),
                ("key", Self.text("Your own name for this command, up to 100 letters and digits."), true),
                ("seconds", Self.number(1, TaskRules.longest, "From now to the deadline; the service's own time when left out."), false),
                ("evaluator", Self.text("Who judges the work; you when left out."), false),
                ("mandate", Self.text("The mandate that pays, where there are several."), false),
                ("approval", Self.text("A human's word, where the amount needs one."), false),
            ], scope: "agents:write", isReading: false, isIdempotent: true
        ) { [hiring] call in
            let fields = call.arguments
            let wish = Hiring.Wish(
                service: try fields.id("service"), brief: try fields.string("brief", bytes: 1...65_536),
                seconds: try fields.optionalInt("seconds", in: 1...Int(TaskRules.longest)).map(Int64.init),
                evaluator: try fields.optionalID("evaluator"), mandate: try fields.optionalID("mandate"),
                approval: try fields.optionalID("approval"))
            let hired = try await hiring.hire(
                wish, caller: call.caller, key: try IdempotencyKey(try fields.string("key", bytes: 1...100)), body: .object(fields.object),
                correlation: call.correlation)
            return ["task": hired.task.json, "funding": hired.funding.json]
        }
    }

    private var task: Tool {
        Tool(
            name: "show_task", description: "Where a task is, what was delivered, and what was paid.",
            arguments: [("task", Self.text("tk_…"), true)], scope: nil, isReading: true
        ) { [maker] call in
            let id = try call.arguments.id("task")
            let caller = call.caller.subject
            guard let task = try await maker.find({ $0.tasks[id] }), task.concerns(caller) else {
                throw EconomyError.notFound("task \(id)")
            }
            return ["task": task.view]
        }
    }

    // MARK: Money and proof

    private var balance: Tool {
        Tool(
            name: "balance", description: "What the caller's account has: balance, held, available and pending, by asset.", arguments: [],
            scope: "accounts:read", isReading: true
        ) { [peers] call in
            do {
                return try await relayed { try await peers.call("GET", .billing, "/v1/accounts/payer:" + call.caller.subject) }
            } catch let problem as Problem where problem.status == 404 {
                return ["account": .string("payer:" + call.caller.subject), "assets": []]
            }
        }
    }

    private var mandates: Tool {
        Tool(
            name: "mandates", description: "What the caller may spend: its mandates, their limits and what is free.", arguments: [],
            scope: nil,
            isReading: true
        ) { [maker] call in
            let caller = call.caller.subject
            let views = try await maker.query { state in
                (state.mandatesOfAgent[caller] ?? []).compactMap { state.mandates[$0] }.map { mandate in
                    mandate.view(at: state.lastTime, isLive: state.chain(from: mandate.id).allSatisfy { $0.ended == nil })
                }
            }
            return ["mandates": .array(views)]
        }
    }

    private var reputation: Tool {
        Tool(
            name: "reputation", description: "What settled work that both sides signed says of an agent, with the log's positions.",
            arguments: [("agent", Self.text, true)], scope: nil, isReading: true
        ) { [names] call in
            let id = try call.arguments.id("agent")
            let names = try await names.names(of: id)
            return ["agent": .string(id), "items": .array(names.map(\.json))]
        }
    }

    private var proof: Tool {
        Tool(
            name: "ledger_proof", description: "A file that proves an event of the log without any server (C2SP tlog-proof).",
            arguments: [("position", Self.number(0, 9_007_199_254_740_991, "Where the event stands."), true)], scope: nil, isReading: true
        ) { [peers] call in
            let position = try call.arguments.int("position", in: 0...9_007_199_254_740_991)
            let file = try await relayed { try await peers.bytes("GET", .ledger, "/log/v1/events/\(position)/proof") }
            return ["position": .count(position), "proof": .string(String(decoding: file, as: UTF8.self))]
        }
    }

    /// An id that can stand in a path.
    private static func name(_ fields: JSONFields, _ member: String) throws -> String {
        let id = try fields.id(member)
        guard id.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }) else {
            throw try fields.field(member).error("must be an id")
        }
        return id
    }
}

/// What another service refuses is told as it said it.
func relayed<Value>(_ call: () async throws -> Value) async throws -> Value {
    do { return try await call() } catch let error as PeerError {
        guard (400..<500).contains(error.status) else { throw Problem(.unavailable, "\(error); try again") }
        throw Problem(error.status == 404 ? .notFound : .unprocessable, error.detail)
    }
}
