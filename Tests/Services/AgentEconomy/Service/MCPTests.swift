import Identity
import Events
import HTTP
import JSON
import ServiceTestSupport
import TestSupport
import Testing

@Suite struct MCPTests {
    private static let meta: JSONValue = [
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": [:],
    ]

    private func modern(
        _ economy: EconomyHouse, _ token: String?, _ method: String, _ params: [(String, JSONValue)] = [], headers: [String: String] = [:]
    ) async throws -> EconomyHouse.Answer {
        var all = ["MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method]
        if let name = params.first(where: { $0.0 == "name" || $0.0 == "uri" })?.1.stringValue { all["Mcp-Name"] = name }
        all.merge(headers) { $1 }
        let body: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(JSONObject(params + [("_meta", Self.meta)])),
        ]
        return try await economy.call("POST", "/mcp", token, body, headers: all)
    }

    private func tool(
        _ economy: EconomyHouse, _ token: String, _ name: String, _ arguments: JSONValue = [:]
    ) async throws -> JSONValue {
        let answer = try await modern(economy, token, "tools/call", [("name", .string(name)), ("arguments", arguments)])
        return try #require(answer.json["result"], "\(name): \(answer.json)")
    }

    @Test func bothErasAreSpokenOnOneEndpoint() async throws {
        try await withEconomy { economy in
            let token = try await economy.person(0).token
            let found = try await modern(economy, token, "server/discover").json["result"]
            #expect(found?["supportedVersions"] == ["2026-07-28"] && found?["resultType"] == "complete")
            let listed = try await modern(economy, token, "tools/list").json["result"]
            #expect(listed?["cacheScope"] == "public" && listed?["ttlMs"]?.intValue != nil)
            let hello = try await economy.ok(
                "POST", "/mcp", token,
                [
                    "jsonrpc": "2.0", "id": "a", "method": "initialize",
                    "params": ["protocolVersion": "2025-11-25", "capabilities": [:], "clientInfo": ["name": "t", "version": "0"]],
                ])
            #expect(hello["id"] == "a" && hello["result"]?["protocolVersion"] == "2025-11-25")
            let old = try await economy.ok("POST", "/mcp", token, ["jsonrpc": "2.0", "id": 2, "method": "tools/list"])
            #expect(old["result"]?["tools"] == listed?["tools"] && old["result"]?["resultType"] == nil)
            let noted: JSONValue = ["jsonrpc": "2.0", "method": "notifications/initialized"]
            #expect(try await economy.call("POST", "/mcp", token, noted).status == 202)
            #expect(try await economy.call("GET", "/mcp", token).status == 405)
            // A client of the handshake that names a revision names one that is spoken.
            for (revision, status) in [("2025-11-25", 200), ("2025-03-26", 200), ("2024-11-05", 400), ("soon", 400)] {
                let ping: JSONValue = ["jsonrpc": "2.0", "id": 3, "method": "ping"]
                let answer = try await economy.call("POST", "/mcp", token, ping, headers: ["MCP-Protocol-Version": revision])
                #expect(answer.status == status, "\(revision): \(answer.json)")
            }
        }
    }

    @Test func whatIsWrongGetsTheProtocolsOwnError() async throws {
        try await withEconomy { economy in
            let token = try await economy.person(0).token
            func code(_ answer: EconomyHouse.Answer) -> [Int] { [answer.status, Int(answer.json["error"]?["code"]?.intValue ?? 0)] }
            #expect(code(try await modern(economy, token, "tools/fly")) == [404, -32_601])
            #expect(code(try await modern(economy, token, "initialize")) == [404, -32_601])
            #expect(code(try await modern(economy, token, "tools/list", headers: ["Mcp-Method": "tools/call"])) == [400, -32_020])
            #expect(
                code(try await modern(economy, token, "tools/list", headers: ["MCP-Protocol-Version": "2025-11-25"])) == [400, -32_020])
            let call: [(String, JSONValue)] = [("name", "balance")]
            #expect(code(try await modern(economy, token, "tools/call", call, headers: ["Mcp-Name": "hire"])) == [400, -32_020])
            let sentinel = ["Mcp-Name": "=?base64?YmFsYW5jZQ==?="]
            #expect(try await modern(economy, token, "tools/call", call, headers: sentinel).status == 200)
            #expect(code(try await modern(economy, token, "tools/call", [("name", "none")])) == [400, -32_602])
            #expect(code(try await modern(economy, token, "tools/call", [("name", "quote"), ("arguments", [:])])) == [400, -32_602])
            let future: JSONValue = [
                "jsonrpc": "2.0", "id": 1, "method": "tools/list",
                "params": [
                    "_meta": [
                        "io.modelcontextprotocol/protocolVersion": "2099-01-01", "io.modelcontextprotocol/clientCapabilities": [:],
                    ]
                ],
            ]
            let headers = ["MCP-Protocol-Version": "2099-01-01", "Mcp-Method": "tools/list"]
            let unsupported = try await economy.call("POST", "/mcp", token, future, headers: headers)
            #expect(code(unsupported) == [400, -32_022] && unsupported.json["error"]?["data"]?["supported"] == ["2026-07-28"])
            for wrong: JSONValue in [
                [], "x", ["jsonrpc": "1.0", "id": 1, "method": "ping"], ["jsonrpc": "2.0", "id": .null, "method": "ping"],
            ] {
                #expect(code(try await economy.call("POST", "/mcp", token, wrong)) == [400, -32_600], "\(wrong)")
            }
            #expect(try await modern(economy, nil, "tools/list").status == 401)
            #expect(try await modern(economy, token, "tools/list", headers: ["Origin": "https://evil.example"]).status == 403)
            let metadata = try await economy.ok("GET", "/.well-known/oauth-protected-resource/mcp", nil)
            #expect(metadata["resource"] == "http://house/mcp")
        }
    }

    @Test func anAgentQuotesHiresAndAsksThroughTools() async throws {
        try await withEconomy { economy in
            try await economy.publishModel()
            let ann = try await economy.person(1_000)
            let bob = try await economy.person(0)
            let buyer = try await economy.register("agent", owner: ann)
            let seller = try await economy.register("agent", owner: bob)
            let mandate = try await economy.grant(ann, buyer, 200)
            let listed = try await economy.ok(
                "POST", "/v1/services", seller.token,
                ["page": ["name": "Tide tables", "description": "High water"], "price": EconomyHouse.amount(150), "seconds": 600])
            let service = try #require(listed["service"])
            let found = try await tool(economy, buyer.token, "search_services", ["words": "tide"])
            #expect(found["structuredContent"]?["services"]?.arrayValue?.first?["service"] == service && found["isError"] == false)
            let quote = try await tool(economy, buyer.token, "quote", ["service": service])
            #expect(quote["structuredContent"]?["listing"]?["price"]?["amount"] == "150")
            let wish: JSONValue = ["service": service, "brief": "June, please", "key": "first"]
            let hired = try await tool(economy, buyer.token, "hire", wish)
            let task = try #require(hired["structuredContent"]?["task"]?["task"], "\(hired)")
            #expect(hired["structuredContent"]?["funding"]?["mandate"] == .string(mandate))
            // A lost reply costs nothing, and another command under that key is refused.
            let again = try await tool(economy, buyer.token, "hire", wish)
            #expect(again["structuredContent"]?["task"]?["task"] == task)
            #expect(try await economy.all(TaskFunded.self).count == 1)
            let other = try await tool(economy, buyer.token, "hire", ["service": service, "brief": "July", "key": "first"])
            #expect(other["isError"] == true)
            #expect(try await tool(economy, seller.token, "show_task", ["task": task])["structuredContent"]?["task"]?["phase"] == "funded")
            #expect(try await tool(economy, bob.token, "show_task", ["task": task])["isError"] == true)
            let more = try await tool(economy, buyer.token, "hire", ["service": service, "brief": "July", "key": "second"])
            #expect(more["isError"] == true && more["structuredContent"]?["problem"] == "mandate-exceeded")

            let asked = try await tool(economy, buyer.token, "ask_model", ["model": "acme/tides", "prompt": "Tides?", "max_tokens": 5])
            #expect(asked["structuredContent"]?["answer"] == "Twice." && asked["structuredContent"]?["fee"]?["amount"] == "10", "\(asked)")
            let inference = try #require(try await economy.all(InferenceCompleted.self).first)
            #expect(inference.mandate == mandate && inference.actor == buyer.id)
            let unknown = try await tool(economy, buyer.token, "ask_model", ["model": "acme/none", "prompt": "Tides?"])
            #expect(unknown["isError"] == true && unknown["structuredContent"]?["status"] == 404)
            let purse = try await tool(economy, buyer.token, "mandates")
            #expect(purse["structuredContent"]?["mandates"]?.arrayValue?.first?["free"]?["amount"] == "40")
            let balance = try await tool(economy, ann.token, "balance")
            #expect(balance["structuredContent"]?["assets"]?.arrayValue?.first?["balance"]?["amount"] != nil)
            // A credential that may not, does not.
            let poor = try economy.house.token(buyer.id, kind: .agent, scopes: [])
            #expect(try await tool(economy, poor, "hire", wish)["isError"] == true)
        }
    }

    @Test func receiptsAreReadByThoseWhomTheyAreFor() async throws {
        try await withEconomy { economy in
            try await economy.publishModel()
            let ann = try await economy.person(1_000)
            let eve = try await economy.person(0)
            #expect(try await economy.ask(ann).status == 200)
            let inference = try #require(try await economy.all(InferenceCompleted.self).first).inference
            let uri = "openledger://receipts/" + inference
            // What she was charged is listed, and to her alone. Nobody attributes here, so there is no receipt yet.
            try await eventually("the fee is taken") {
                let listed = try await modern(economy, ann.token, "resources/list").json["result"]
                return listed?["resources"]?.arrayValue?.map { $0["uri"]?.stringValue } == [uri]
            }
            let others = try await modern(economy, eve.token, "resources/list").json["result"]
            #expect(others?["cacheScope"] == "private" && others?["resources"] == [])
            let templates = try await modern(economy, eve.token, "resources/templates/list").json["result"]?["resourceTemplates"]
            #expect(templates?.arrayValue?.first?["uriTemplate"] == "openledger://receipts/{id}")
            // Not settled yet; another's; none at all; no receipt.
            let wrong = [
                (ann.token, uri), (eve.token, uri), (eve.token, "openledger://receipts/../x"), (eve.token, "file:///etc/passwd"),
            ]
            for (token, uri) in wrong {
                let answer = try await modern(economy, token, "resources/read", [("uri", .string(uri))])
                #expect(answer.status == 400 && answer.json["error"]?["code"] == -32_602, "\(uri): \(answer.json)")
            }
            let old = try await economy.ok("POST", "/mcp", eve.token, ["jsonrpc": "2.0", "id": 2, "method": "resources/list"])
            #expect(old["result"]?["resources"] == [] && old["result"]?["resultType"] == nil)
        }
    }
}
