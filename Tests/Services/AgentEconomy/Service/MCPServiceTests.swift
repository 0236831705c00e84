import Crypto
import Events
import HTTP
import Identity
import JSON
import Money
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing

/// Services as tools, and commands that come again.
@Suite struct MCPServiceTests {
    private static let meta: JSONValue = [
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": [:],
    ]

    private func modern(
        _ economy: EconomyHouse, _ token: String, _ method: String, _ params: [(String, JSONValue)] = [], at door: String = "/mcp"
    ) async throws -> JSONValue {
        var headers = ["MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method]
        if let name = params.first(where: { $0.0 == "name" || $0.0 == "uri" })?.1.stringValue { headers["Mcp-Name"] = name }
        let body: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(JSONObject(params + [("_meta", Self.meta)])),
        ]
        return try await economy.call("POST", door, token, body, headers: headers).json
    }

    private func tool(
        _ economy: EconomyHouse, _ token: String, _ name: String, _ arguments: JSONValue, at door: String = "/mcp"
    ) async throws -> JSONValue {
        let answer = try await modern(economy, token, "tools/call", [("name", .string(name)), ("arguments", arguments)], at: door)
        return try #require(answer["result"], "\(name): \(answer)")
    }

    private func list(_ economy: EconomyHouse, _ seller: EconomyHouse.Party, _ page: JSONValue, _ price: Int = 150) async throws -> String {
        let listed = try await economy.ok(
            "POST", "/v1/services", seller.token, ["page": page, "price": EconomyHouse.amount(price), "seconds": 600])
        return try #require(listed["service"]?.stringValue)
    }

    /// All tools, page by page.
    private func all(_ economy: EconomyHouse, _ token: String, at door: String = "/mcp") async throws -> (tools: [JSONValue], pages: Int) {
        var (tools, cursor, pages): ([JSONValue], JSONValue?, Int) = ([], nil, 0)
        repeat {
            let listed = try await modern(economy, token, "tools/list", cursor.map { [("cursor", $0)] } ?? [], at: door)
            let result = try #require(listed["result"], "\(listed)")
            tools += result["tools"]?.arrayValue ?? []
            cursor = result["nextCursor"]
            pages += 1
        } while cursor != nil && pages < 10
        return (tools, pages)
    }

    @Test func everyListedServiceIsAToolAtTheGatewayAndAtItsAgent() async throws {
        try await withEconomy { economy in
            let ann = try await economy.person(0)
            let (bob, eve) = (try await economy.person(0), try await economy.person(0))
            let seller = try await economy.register("agent", owner: bob)
            var mine: Set<String> = []
            for number in 0..<40 { mine.insert(try await list(economy, seller, ["name": "Tides \(number)", "description": "High water"])) }
            let other = try await list(economy, eve, ["name": "Maps", "description": "Charts", "image": "https://img.example/m.png"])
            let found = try await all(economy, ann.token)
            let names = found.tools.compactMap { $0["name"]?.stringValue }
            #expect(
                found.pages == 2 && names.count == 12 + 41 && Set(names).count == names.count && mine.union([other]).isSubset(of: names))
            let map = try #require(found.tools.first { $0["name"]?.stringValue == other })
            #expect(map["title"] == "Maps" && map["_meta"]?["openledger/price"]?["amount"] == "150")
            #expect(map["_meta"]?["openledger/provider"] == .string(eve.id) && map["annotations"]?["idempotentHint"] == true)
            #expect(map["inputSchema"]?["required"] == ["brief", "openledger_key"])
            // A cursor of another list, or of nobody's making.
            for cursor: JSONValue in ["x", 5, "AQ"] {
                let refused = try await modern(economy, ann.token, "tools/list", [("cursor", cursor)])
                #expect(refused["error"]?["code"] == -32_602, "\(refused)")
            }
            let door = "/mcp/" + seller.id
            let own = try await all(economy, ann.token, at: door).tools.compactMap { $0["name"]?.stringValue }
            #expect(Set(own).isSuperset(of: mine) && !own.contains(other) && !own.contains("ask_model") && own.contains("show_task"))
            #expect(try await economy.call("POST", "/mcp/nobody", ann.token, [:]).status == 404)
            // The same listing, in an ERC-8004 registration file and on a card.
            let file = try await economy.ok("GET", "/v1/agents/\(eve.id)/registration.json", nil)
            let doors = file["services"]?.arrayValue?.filter { $0["name"] == "MCP" }
            #expect(doors?.first?["endpoint"] == .string("http://house/mcp/" + eve.id) && file["image"] == "https://img.example/m.png")
            #expect(try await economy.ok("GET", "/v1/agents/\(eve.id)/agent-card.json", nil)["iconUrl"] == "https://img.example/m.png")
            #expect(try await economy.ok("GET", "/v1/agents/\(seller.id)/registration.json", nil)["image"] == nil)
        }
    }

    @Test func aServicesToolHiresOnceByItsSchemaAndWithinTheMandate() async throws {
        try await withEconomy { economy in
            let ann = try await economy.person(1_000)
            let bob = try await economy.person(0)
            let buyer = try await economy.register("agent", owner: ann)
            let seller = try await economy.register("agent", owner: bob)
            let mandate = try await economy.grant(ann, buyer, 400)
            let input: JSONValue = [
                "type": "object",
                "properties": ["harbour": ["type": "string", "x-mcp-header": "harbour"], "days": ["type": "integer", "maximum": 31]],
                "required": ["harbour"], "additionalProperties": false,
            ]
            let service = try await list(economy, seller, ["name": "Tides", "description": "High water", "input": input])
            let listed = try await all(economy, ann.token).tools.first { $0["name"]?.stringValue == service }
            #expect(listed?["inputSchema"]?["required"] == ["harbour", "openledger_key"])
            #expect(listed?["inputSchema"]?["properties"]?["harbour"] == ["type": "string"])

            let wish: JSONValue = ["harbour": "Norwick", "days": 30, "openledger_key": "june", "openledger_most": "150"]
            let hired = try await tool(economy, buyer.token, service, wish)
            let task = try #require(hired["structuredContent"]?["task"]?["task"]?.stringValue, "\(hired)")
            #expect(hired["structuredContent"]?["funding"]?["mandate"] == .string(mandate))
            #expect(try await tool(economy, buyer.token, service, wish)["structuredContent"]?["task"]?["task"]?.stringValue == task)
            let brief = try await economy.ok("GET", "/v1/tasks/\(task)/brief", seller.token)["brief"]?.stringValue
            #expect(brief == #"{"days":30,"harbour":"Norwick"}"#)
            // What the schema does not allow, and a command without a name, is not tried.
            for wrong: JSONValue in [
                ["harbour": "Norwick"], ["harbour": 5, "openledger_key": "a"], ["openledger_key": "a"],
                ["harbour": "Norwick", "days": 32, "openledger_key": "a"], ["harbour": "Norwick", "boat": 1, "openledger_key": "a"],
                ["harbour": "Norwick", "openledger_key": "a", "openledger_most": "-5"],
            ] {
                let refused = try await modern(economy, buyer.token, "tools/call", [("name", .string(service)), ("arguments", wrong)])
                #expect(refused["error"]?["code"] == -32_602, "\(wrong): \(refused)")
            }
            // Another command under the key; a price above what was agreed to; at another agent's door; no service at all.
            let other = try await tool(economy, buyer.token, service, ["harbour": "Sennen", "openledger_key": "june"])
            #expect(other["isError"] == true && other["structuredContent"]?["problem"] == "idempotency-key-reused")
            let dear = try await tool(
                economy, buyer.token, service, ["harbour": "Sennen", "openledger_key": "july", "openledger_most": "149"])
            #expect(dear["isError"] == true && dear["structuredContent"]?["problem"] == "invalid-value", "\(dear)")
            let none = "sv_" + String(repeating: "0", count: 32)
            for (name, door) in [(service, "/mcp/" + buyer.id), (none, "/mcp"), ("sv_x", "/mcp")] {
                let params: [(String, JSONValue)] = [("name", .string(name)), ("arguments", ["openledger_key": "x"])]
                #expect(try await modern(economy, buyer.token, "tools/call", params, at: door)["error"]?["code"] == -32_602, "\(name)")
            }
            #expect(try await economy.all(TaskFunded.self).count == 1)
            // Beyond the mandate, and within it at the agent's own door.
            _ = try await tool(
                economy, buyer.token, service, ["harbour": "Sennen", "openledger_key": "own"], at: "/mcp/" + seller.id)
            let over = try await tool(economy, buyer.token, service, ["harbour": "Sennen", "openledger_key": "over"])
            #expect(over["structuredContent"]?["problem"] == "mandate-exceeded", "\(over)")
            // Offered no more, it is told to whom hired it and to nobody else.
            _ = try await economy.ok("DELETE", "/v1/services/\(service)", seller.token)
            #expect(try await tool(economy, buyer.token, service, wish)["structuredContent"]?["task"]?["task"]?.stringValue == task)
            let gone = try await modern(
                economy, buyer.token, "tools/call",
                [("name", .string(service)), ("arguments", ["harbour": "Sennen", "openledger_key": "late"])])
            #expect(gone["error"]?["code"] == -32_602)
            #expect(try await economy.all(TaskFunded.self).count == 2)
            try await economy.audit()
        }
    }

    @Test func aNamedQuestionIsAnsweredAndPaidOnce() async throws {
        try await withEconomy { economy in
            try await economy.publishModel()
            let ann = try await economy.person(1_000)
            let buyer = try await economy.register("agent", owner: ann)
            let mandate = try await economy.grant(ann, buyer, 200)
            let question: JSONValue = ["model": "acme/tides", "prompt": "Tides?", "max_tokens": 5, "key": "q1"]
            // Twice at once is one of them, or one after the other.
            async let left = tool(economy, buyer.token, "ask_model", question)
            async let right = tool(economy, buyer.token, "ask_model", question)
            let both = try await [left, right]
            let first = try #require(both.first { $0["isError"] == false }?["structuredContent"], "\(both)")
            for answer in both where answer["isError"] == true {
                #expect(answer["structuredContent"]?["problem"] == "command-in-flight", "\(answer)")
            }
            let again = try await tool(economy, buyer.token, "ask_model", question)["structuredContent"]
            for member in ["answer", "inference", "fee", "position", "version", "output_tokens"] {
                #expect(again?[member] == first[member], "\(member)")
            }
            let other = try await tool(
                economy, buyer.token, "ask_model", ["model": "acme/tides", "prompt": "Ebb?", "max_tokens": 5, "key": "q1"])
            #expect(other["isError"] == true && other["structuredContent"]?["problem"] == "idempotency-key-reused", "\(other)")
            // A message of A2A is named by its id.
            let message: JSONValue = [
                "message": [
                    "messageId": "m-ä", "role": "ROLE_USER", "parts": [["text": "Tides?"]], "metadata": ["model": "acme/tides"],
                ]
            ]
            func send() async throws -> JSONValue {
                let body: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": message]
                return try await economy.call("POST", "/a2a", buyer.token, body, headers: ["A2A-Version": "1.0"]).json
            }
            func inference(_ said: JSONValue) -> JSONValue? {
                said["result"]?["message"]?["parts"]?.arrayValue?.last?["data"]?["inference"]
            }
            let sent = try await send()
            let repeated = try await send()
            #expect(inference(sent) != nil && inference(sent) == inference(repeated), "\(sent) \(repeated)")
            #expect(economy.asked.withLock { $0 } == 2)
            let paid = try await economy.all(InferenceCompleted.self)
            #expect(paid.count == 2 && paid.allSatisfy { $0.mandate == mandate })
            // Two fees of ten, whatever was sent again.
            let free = try await economy.ok("GET", "/v1/mandates/\(mandate)", ann.token)["free"]?["amount"]
            #expect(free == "180")
            // Another caller's key is another question.
            let own = try await tool(economy, ann.token, "ask_model", question)["structuredContent"]
            #expect(own?["inference"] != first["inference"] && own?["inference"] != nil)
            // Revoked meanwhile, the first answer is given all the same; and not once its text was erased.
            _ = try await economy.ok("POST", "/v1/mandates/\(mandate)/revocation", ann.token)
            #expect(try await tool(economy, buyer.token, "ask_model", question)["structuredContent"]?["answer"] == first["answer"])
            let root = try economy.house.token(ann.id, kind: .person, scopes: ["keys:write"])
            _ = try await economy.ok("DELETE", "/v1/principals/\(ann.id)/texts", root)
            let erased = try await tool(economy, buyer.token, "ask_model", question)
            #expect(erased["structuredContent"]?["problem"] == "erased", "\(erased)")
            try await economy.audit()
        }
    }

    @Test func aQuestionThatTwoGatewaysAreAskedAtOnceIsAnsweredAndHeldForOnce() async throws {
        try await withEconomy(gateways: 2) { economy in
            try await economy.publishModel()
            let ann = try await economy.person(1_000)
            let buyer = try await economy.register("agent", owner: ann)
            let mandate = try await economy.grant(ann, buyer, 200)
            let question: JSONValue = ["model": "acme/tides", "prompt": "Tides?", "max_tokens": 5, "key": "q1"]
            economy.waits.withLock { $0 = true }
            async let first = tool(economy, buyer.token, "ask_model", question)
            try await eventually("one is asked") { economy.asked.withLock { $0 } == 1 }
            try economy.serving.withLock { try $0(1) }
            try await eventually("the other knows the model and the mandate") {
                let other: JSONValue = ["model": "acme/none", "prompt": "Tides?"]
                let unknown = try await tool(economy, buyer.token, "ask_model", other)
                return unknown["structuredContent"]?["problem"] == "model-not-found"
            }
            // The other neither asks nor holds anything, and says so at once.
            let second = try await tool(economy, buyer.token, "ask_model", question)["structuredContent"]
            #expect(second?["problem"] == "command-in-flight", "\(String(describing: second))")
            #expect(economy.asked.withLock { $0 } == 1)
            #expect(try await economy.figure("payer:\(ann.id)", "available") == 990)
            economy.waits.withLock { $0 = false }
            let answered = try await first["structuredContent"]
            let again = try await tool(economy, buyer.token, "ask_model", question)["structuredContent"]
            let both = [answered, again]
            #expect(both.allSatisfy { $0?["answer"] == "Twice." } && both[0]?["inference"] == both[1]?["inference"], "\(both)")
            #expect(both.map { $0?["repeated"] == .bool(true) } == [false, true], "\(both)")
            #expect(try await economy.all(InferenceCompleted.self).count == 1 && economy.asked.withLock { $0 } == 1)
            #expect(try await economy.all(MandateSettled.self).map(\.amount.units) == [10])
            #expect(try await economy.all(MandateFreed.self).isEmpty)
            try await eventually("nothing stays held") { try await economy.figure("payer:\(ann.id)", "available") == 990 }
            #expect(try await economy.ok("GET", "/v1/mandates/\(mandate)", ann.token)["free"]?["amount"] == "190")
            try await economy.audit()
        }
    }

    @Test func aFailedAttemptSpoilsNoLaterOneUnderItsName() async throws {
        try await withEconomy { economy in
            try await economy.publishModel()
            let ann = try await economy.person(5)
            let buyer = try await economy.register("agent", owner: ann)
            let mandate = try await economy.grant(ann, buyer, 200)
            let question: JSONValue = ["model": "acme/tides", "prompt": "Tides?", "max_tokens": 5, "key": "q1"]
            let poor = try await tool(economy, buyer.token, "ask_model", question)
            #expect(poor["structuredContent"]?["problem"] == "insufficient-quota", "\(poor)")
            _ = try await economy.ok(
                "POST", "/v1/accounts/payer:\(ann.id)/deposits", try economy.administrator,
                ["amount": EconomyHouse.amount(95), "rail": "bank", "reference": "more"])
            let answered = try await tool(economy, buyer.token, "ask_model", question)
            #expect(answered["structuredContent"]?["fee"]?["amount"] == "10", "\(answered)")
            try await eventually("ten are taken, and nothing is held") {
                let available = try await economy.figure("payer:\(ann.id)", "available")
                return available == 90
            }
            #expect(try await economy.ok("GET", "/v1/mandates/\(mandate)", ann.token)["free"]?["amount"] == "190")
        }
    }

    @Test func eachEraSaysThatAResourceIsMissingByItsOwnCode() async throws {
        try await withEconomy { economy in
            let ann = try await economy.person(0)
            let uri: JSONValue = "openledger://receipts/in_none"
            #expect(try await modern(economy, ann.token, "resources/read", [("uri", uri)])["error"]?["code"] == -32_602)
            let old = try await economy.ok(
                "POST", "/mcp", ann.token, ["jsonrpc": "2.0", "id": 2, "method": "resources/read", "params": ["uri": uri]])
            #expect(old["error"]?["code"] == -32_002 && old["error"]?["data"]?["uri"] == uri)
        }
    }

    @Test func whoShowsNothingIsToldWhereToReadOnWhereThatIsKnown() async throws {
        try await withEconomy { economy in
            func challenge(_ host: String) async throws -> String? {
                try await economy.call("POST", "/mcp", nil, [:], headers: ["Host": host]).headers["WWW-Authenticate"]
            }
            let own = try await challenge("localhost:8080")
            #expect(
                own?.contains("resource_metadata=\"http://localhost:8080/.well-known/oauth-protected-resource/mcp\"") == true,
                "\(own ?? "")")
            // Where a stranger's name was used we say nothing of the kind.
            let foreign = try await challenge("evil.example")
            #expect(foreign?.hasPrefix("Bearer ") == true && foreign?.contains("resource_metadata") == false, "\(foreign ?? "")")
        }
    }

    @Test func aKeysWordIsExchangedForATokenAsOAuthHasIt() async throws {
        try await withEconomy(settings: ["OPENLEDGER_PUBLIC_URL": "https://gate.example"], gateways: 2) { economy in
            let ann = try await economy.person(0)
            let eve = try await economy.person(0)
            let resource = try await economy.ok("GET", "/.well-known/oauth-protected-resource/mcp", nil)
            #expect(resource["resource"] == "https://gate.example/mcp" && resource["authorization_servers"] == ["https://gate.example"])
            let door = try await economy.ok("GET", "/.well-known/oauth-protected-resource/mcp/\(ann.id)", nil)
            #expect(door["resource"] == .string("https://gate.example/mcp/" + ann.id))
            let server = try await economy.ok("GET", "/.well-known/oauth-authorization-server", nil)
            #expect(server["issuer"] == "https://gate.example" && server["token_endpoint"] == "https://gate.example/oauth/token")
            let nobody = try await economy.call("POST", "/mcp/" + ann.id, nil, [:])
            let metadata = "https://gate.example/.well-known/oauth-protected-resource/mcp/" + ann.id
            #expect(nobody.status == 401 && nobody.headers["WWW-Authenticate"]?.contains("resource_metadata=\"\(metadata)\"") == true)

            func word(_ party: EconomyHouse.Party, _ claims: [(String, JSONValue)] = [], algorithm: String = "EdDSA") throws -> String {
                let usual: [(String, JSONValue)] = [
                    ("iss", .string(party.id)), ("sub", .string(party.id)), ("aud", "https://gate.example"),
                    ("exp", .int(UnixTime.now + 300)),
                ]
                let all = usual.filter { old in !claims.contains { $0.0 == old.0 } } + claims
                let signed =
                    Base64URL.encode(JSON.write(["alg": .string(algorithm), "typ": "JWT"])) + "."
                    + Base64URL.encode(JSON.write(.object(JSONObject(all))))
                return signed + "." + Base64URL.encode(try party.key.sign(Array(signed.utf8)))
            }
            func ask(_ assertion: String, _ more: String = "") async throws -> EconomyHouse.Answer {
                let type = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
                return try await economy.form(
                    "/oauth/token",
                    "grant_type=client_credentials&client_assertion_type=\(type)&client_assertion=\(assertion)" + more)
            }
            let once = try word(ann)
            let given = try await ask(once, "&scope=agents%3Awrite+accounts%3Aread&resource=https%3A%2F%2Fgate.example%2Fmcp")
            let token = try #require(given.text("access_token"), "\(given.json)")
            #expect(given.json["token_type"] == "Bearer" && given.json["scope"] == "accounts:read agents:write")
            #expect(given.headers["Cache-Control"] == "no-store")
            #expect(try await modern(economy, token, "tools/list")["result"] != nil)
            // Whoever overheard it has nothing of it; another word of the same client is another, by its jti or by what it says.
            let again = try await ask(once, "&scope=accounts%3Aread")
            #expect(again.status == 401 && again.json["error"] == "invalid_client", "\(again.json)")
            // Nor at the house's other gateway.
            try economy.serving.withLock { try $0(1) }
            let elsewhere = try await ask(once)
            #expect(elsewhere.status == 401 && elsewhere.json["error"] == "invalid_client", "\(elsewhere.json)")
            try economy.serving.withLock { try $0(0) }
            for (id, status) in [("one", 200), ("two", 200), ("one", 401)] {
                let named = try await ask(try word(ann, [("jti", .string(id)), ("exp", .int(UnixTime.now + 200))]))
                #expect(named.status == status, "\(id): \(named.json)")
            }
            #expect(try await ask(try word(eve, [("jti", "one")])).status == 200)
            // It says what it was asked for, and no more.
            #expect(try await economy.call("GET", "/v1/keys", token).status == 403)
            let past: [(String, JSONValue)] = [("exp", .int(UnixTime.now - 300))]
            let wrong: [(String, String, Int, String)] = [
                (try word(ann, past), "", 401, "invalid_client"),
                (try word(ann, [("exp", .int(UnixTime.now + 9_000))]), "", 401, "invalid_client"),
                (try word(ann, [("aud", "https://evil.example")]), "", 401, "invalid_client"),
                (try word(eve, [("iss", .string(ann.id)), ("sub", .string(ann.id))]), "", 401, "invalid_client"),
                (try word(ann, [("iss", .string(eve.id))]), "", 401, "invalid_client"),
                (try word(ann, algorithm: "none"), "", 401, "invalid_client"), ("x.y.z", "", 401, "invalid_client"),
                (try word(ann, [("sub", "nobody")]), "", 401, "invalid_client"),
                (try word(ann), "&client_id=\(eve.id)", 401, "invalid_client"), (try word(ann), "&scope=world", 400, "invalid_scope"),
                (try word(ann), "&resource=https%3A%2F%2Fevil.example", 400, "invalid_target"),
                (try word(ann), "&grant_type=password", 400, "invalid_request"),
            ]
            for (assertion, more, status, code) in wrong {
                let refused = try await ask(assertion, more)
                #expect(refused.status == status && refused.json["error"] == .string(code), "\(more): \(refused.json)")
            }
            #expect(try await economy.form("/oauth/token", "grant_type=password").json["error"] == "unsupported_grant_type")
            #expect(try await economy.call("GET", "/oauth/authorize?response_type=code", nil).status == 400)
        }
    }
}
