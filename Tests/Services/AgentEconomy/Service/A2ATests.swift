import Events
import HTTP
import JSON
import ServiceTestSupport
import TestSupport
import Testing

@Suite struct A2ATests {
    private func call(
        _ economy: EconomyHouse, _ token: String?, _ path: String, _ method: String, _ params: JSONValue, version: String? = "1.0"
    ) async throws -> EconomyHouse.Answer {
        let body: JSONValue = ["jsonrpc": "2.0", "id": "1", "method": .string(method), "params": params]
        return try await economy.call("POST", path, token, body, headers: version.map { ["A2A-Version": $0] } ?? [:])
    }

    private func message(_ text: String, id: String, _ metadata: JSONValue? = nil) -> JSONValue {
        [
            "message": .members([
                "messageId": .string(id), "role": "ROLE_USER", "parts": [["text": .string(text)]], "metadata": metadata,
            ])
        ]
    }

    @Test func aMessageHiresAndItsTaskIsFollowedToItsEnd() async throws {
        try await withEconomy { economy in
            try await economy.publishModel()
            let ann = try await economy.person(1_000)
            let bob = try await economy.person(0)
            let buyer = try await economy.register("agent", owner: ann)
            let seller = try await economy.register("agent", owner: bob)
            _ = try await economy.grant(ann, buyer, 500)
            let listed = try await economy.ok(
                "POST", "/v1/services", seller.token,
                ["page": ["name": "Tide tables", "description": "High water"], "price": EconomyHouse.amount(150), "seconds": 600])
            let service = try #require(listed["service"])
            let door = "/a2a/" + seller.id
            let found = try await call(economy, buyer.token, "/a2a", "SendMessage", message("tide", id: "m0"))
            let data = found.json["result"]?["message"]?["parts"]?.arrayValue?.last?["data"]
            #expect(data?["services"]?.arrayValue?.first?["service"] == service)
            let hired = try await call(economy, buyer.token, door, "SendMessage", message("June, please", id: "m1"))
            let task = try #require(hired.json["result"]?["task"], "\(hired.json)")
            #expect(task["status"]?["state"] == "TASK_STATE_WORKING")
            let again = try await call(economy, buyer.token, door, "SendMessage", message("June, please", id: "m1"))
            #expect(again.json["result"]?["task"]?["id"] == task["id"])
            let other = try await call(economy, buyer.token, door, "SendMessage", message("July", id: "m1"))
            #expect(other.json["error"]?["data"]?.arrayValue?.first?["reason"] == "IDEMPOTENCY_KEY_REUSED")
            #expect(try await economy.all(TaskFunded.self).count == 1)

            let id = try #require(task["id"]?.stringValue)
            try await economy.submit(seller, id)
            let waiting = try await call(economy, buyer.token, "/a2a", "GetTask", ["id": .string(id)]).json["result"]
            #expect(waiting?["status"]?["state"] == "TASK_STATE_INPUT_REQUIRED")
            #expect(waiting?["artifacts"]?.arrayValue?.first?["parts"]?.arrayValue?.first?["data"]?["hash"] == .string(EconomyHouse.hash))
            #expect(try await call(economy, buyer.token, "/a2a", "ListTasks", [:]).json["result"]?["totalSize"] == 1)
            let cancelled = try await call(economy, buyer.token, "/a2a", "CancelTask", ["id": .string(id)])
            #expect(cancelled.json["result"]?["status"]?["state"] == "TASK_STATE_CANCELED")
            try await eventually("the money is back") { try await economy.figure("payer:\(ann.id)", "available") == 1_000 }

            let asked = try await call(economy, buyer.token, "/a2a", "SendMessage", message("Tides?", id: "m2", ["model": "acme/tides"]))
            #expect(asked.json["result"]?["message"]?["parts"]?.arrayValue?.first?["text"] == "Twice.", "\(asked.json)")
        }
    }

    @Test func whatIsWrongGetsTheProtocolsOwnError() async throws {
        try await withEconomy { economy in
            let ann = try await economy.person(0)
            let token = ann.token
            func code(_ answer: EconomyHouse.Answer) -> Int64? { answer.json["error"]?["code"]?.intValue }
            let hello = message("hello", id: "m")
            for version in [nil, "0.3", "2.0"] {
                #expect(code(try await call(economy, token, "/a2a", "SendMessage", hello, version: version)) == -32_009)
            }
            #expect(code(try await call(economy, token, "/a2a", "GetTask", ["id": "tk_none"])) == -32_001)
            #expect(code(try await call(economy, token, "/a2a", "CancelTask", ["id": "tk_none"])) == -32_001)
            #expect(code(try await call(economy, token, "/a2a", "message/send", hello)) == -32_601)
            #expect(code(try await call(economy, token, "/a2a", "SubscribeToTask", ["id": "tk_none"])) == -32_001)
            #expect(code(try await call(economy, token, "/a2a", "CreateTaskPushNotificationConfig", [:])) == -32_602)
            #expect(code(try await call(economy, token, "/a2a", "tasks/get", ["id": "tk_none"], version: nil)) == -32_001)
            #expect(code(try await call(economy, token, "/a2a", "tasks/fly", [:], version: "0.3.0")) == -32_009)
            #expect(code(try await call(economy, token, "/a2a", "GetExtendedAgentCard", [:])) == -32_007)
            #expect(code(try await call(economy, token, "/a2a", "SendMessage", ["message": ["parts": []]])) == -32_602)
            let picture: JSONValue = ["message": ["messageId": "p", "role": "ROLE_USER", "parts": [["url": "https://x.example/a.png"]]]]
            #expect(code(try await call(economy, token, "/a2a", "SendMessage", picture)) == -32_005)
            #expect(code(try await call(economy, token, "/a2a/\(ann.id)", "SendMessage", hello)) == -32_602)
            let poor = message("x", id: "n", ["service": "sv_none"])
            #expect(code(try await call(economy, token, "/a2a", "SendMessage", poor)) == -32_602)
            #expect(try await call(economy, nil, "/a2a", "SendMessage", hello).status == 401)
            // A task that is over can't be cancelled.
            let bob = try await economy.person(0)
            let task = try await economy.open(ann, bob, 5)
            _ = try await economy.ok("POST", "/v1/tasks/\(task)/rejection", ann.token)
            #expect(code(try await call(economy, token, "/a2a", "CancelTask", ["id": .string(task)])) == -32_002)
            #expect(code(try await call(economy, token, "/a2a", "SubscribeToTask", ["id": .string(task)])) == -32_004)
            // Pushes go to the world outside alone, and somebody else's task is none.
            let eve = try await economy.person(0)
            let inside: JSONValue = ["taskId": .string(task), "id": "x", "url": "https://127.0.0.1/x"]
            #expect(code(try await call(economy, token, "/a2a", "CreateTaskPushNotificationConfig", inside)) == -32_602)
            let fine: JSONValue = ["taskId": .string(task), "id": "x", "url": "https://ear.example/x"]
            #expect(code(try await call(economy, eve.token, "/a2a", "CreateTaskPushNotificationConfig", fine)) == -32_001)
            let made = try await call(economy, token, "/a2a", "CreateTaskPushNotificationConfig", fine)
            #expect(made.json["result"]?["url"] == "https://ear.example/x", "\(made.json)")
            let split: JSONValue = ["taskId": .string(task), "url": "https://ear.example/x", "token": "a\r\nb"]
            #expect(code(try await call(economy, token, "/a2a", "CreateTaskPushNotificationConfig", split)) == -32_602)
            let card = try await economy.ok("GET", "/.well-known/agent-card.json", nil)
            #expect(card["supportedInterfaces"]?.arrayValue?.first?["url"] == "http://house/a2a")
        }
    }

    @Test func restSaysTheSameWithItsOwnStatuses() async throws {
        try await withEconomy { economy in
            let ann = try await economy.person(1_000)
            let bob = try await economy.person(0)
            let buyer = try await economy.register("agent", owner: ann)
            _ = try await economy.grant(ann, buyer, 500)
            _ = try await economy.ok(
                "POST", "/v1/services", bob.token,
                ["page": ["name": "Tide tables", "description": "High water"], "price": EconomyHouse.amount(150), "seconds": 600])
            let headers = ["A2A-Version": "1.0"]
            let door = "/a2a/\(bob.id)/v1"
            let hired = try await economy.call("POST", door + "/message:send", buyer.token, message("June", id: "r1"), headers: headers)
            let task = try #require(hired.text("task", "id"), "\(hired.json)")
            #expect(try await economy.ok("GET", "/a2a/v1/tasks/\(task)", buyer.token, headers: headers)["id"] == .string(task))
            let listed = try await economy.ok("GET", "/a2a/v1/tasks?pageSize=1&status=TASK_STATE_WORKING", buyer.token, headers: headers)
            #expect(listed["totalSize"] == 1)
            let cancelled = try await economy.ok("POST", "/a2a/v1/tasks/\(task):cancel", bob.token, headers: headers)
            #expect(cancelled["status"]?["state"] == "TASK_STATE_CANCELED")
            func status(_ method: String, _ path: String, _ headers: [String: String], token: String?) async throws -> [String] {
                let answer = try await economy.call(method, path, token, headers: headers)
                let error = answer.json["error"]
                return [String(answer.status), error?["details"]?.arrayValue?.first?["reason"]?.stringValue ?? ""]
            }
            let none = "/a2a/v1/tasks/tk_none"
            #expect(try await status("GET", none, headers, token: buyer.token) == ["404", "TASK_NOT_FOUND"])
            #expect(try await status("GET", none, [:], token: buyer.token) == ["400", "VERSION_NOT_SUPPORTED"])
            let again = try await status("POST", "/a2a/v1/tasks/\(task):cancel", headers, token: buyer.token)
            #expect(again == ["400", "TASK_NOT_CANCELABLE"])
            let over = try await status("POST", "/a2a/v1/tasks/\(task):subscribe", headers, token: buyer.token)
            #expect(over == ["400", "UNSUPPORTED_OPERATION"])
            #expect(try await status("GET", "/a2a/v1/extendedAgentCard", headers, token: buyer.token)[0] == "400")
            #expect(try await status("POST", "/a2a/v1/message:fly", headers, token: buyer.token)[0] == "404")
            #expect(try await status("GET", none, headers, token: nil)[0] == "401")
        }
    }

    @Test func whatWasCalledInThreeIsAnsweredInThree() async throws {
        try await withEconomy { economy in
            let ann = try await economy.person(1_000)
            let bob = try await economy.person(0)
            let buyer = try await economy.register("agent", owner: ann)
            _ = try await economy.grant(ann, buyer, 500)
            _ = try await economy.ok(
                "POST", "/v1/services", bob.token,
                ["page": ["name": "Tide tables", "description": "High water"], "price": EconomyHouse.amount(150), "seconds": 600])
            let hello: JSONValue = [
                "message": ["kind": "message", "messageId": "o1", "role": "user", "parts": [["kind": "text", "text": "June"]]]
            ]
            let task = try await call(economy, buyer.token, "/a2a/" + bob.id, "message/send", hello, version: nil).json["result"]
            #expect(task?["kind"] == "task" && task?["status"]?["state"] == "working", "\(String(describing: task))")
            let id = try #require(task?["id"]?.stringValue)
            try await economy.submit(bob, id)
            let shown = try await call(economy, buyer.token, "/a2a", "tasks/get", ["id": .string(id)], version: "0.3").json["result"]
            #expect(shown?["status"]?["state"] == "input-required")
            #expect(shown?["artifacts"]?.arrayValue?.first?["parts"]?.arrayValue?.first?["kind"] == "data")
            let found = try await call(economy, buyer.token, "/a2a", "message/send", hello, version: "0.3").json["result"]
            #expect(found?["kind"] == "message" && found?["role"] == "agent")
            let config: JSONValue = [
                "taskId": .string(id),
                "pushNotificationConfig": ["url": "https://ear.example/x", "authentication": ["schemes": ["Basic"]]],
            ]
            let set = try await call(economy, buyer.token, "/a2a", "tasks/pushNotificationConfig/set", config, version: "0.3")
            #expect(set.json["result"]?["pushNotificationConfig"]?["authentication"]?["schemes"] == ["Basic"], "\(set.json)")
            let which: JSONValue = ["id": .string(id)]
            let all = try await call(economy, buyer.token, "/a2a", "tasks/pushNotificationConfig/list", which, version: "0.3")
            #expect(all.json["result"]?.arrayValue?.count == 1)
        }
    }
}
