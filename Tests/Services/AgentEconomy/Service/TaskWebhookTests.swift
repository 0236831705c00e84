import Crypto
import Events
import HTTP
import HTTPServer
import HTTPSignatures
import Identity
import JSON
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing

@Suite struct TaskWebhookTests {
    /// An address that is told, and what it was told.
    private final class Ear: Sendable {
        struct Message: Sendable {
            let headers: Headers
            let body: [UInt8]
        }

        private let state = Mutex<(heard: [Message], statuses: [Int])>(([], []))
        var heard: [Message] { state.withLock { $0.heard } }
        func answer(_ statuses: Int...) { state.withLock { $0.statuses = statuses } }

        func take(_ request: Request) async throws -> Response {
            let message = Message(headers: request.headers, body: try await request.body.collect(upTo: 1 << 20))
            return Response(
                status: state.withLock { state in
                    state.heard.append(message)
                    return state.statuses.isEmpty ? 204 : state.statuses.removeFirst()
                })
        }
    }

    private func withEar(_ body: @Sendable (EconomyHouse, Ear, String) async throws -> Void) async throws {
        let ear = Ear()
        let server = try Server(.ipv4("127.0.0.1", port: 0)) { try await ear.take($0) }
        do {
            try await withEconomy(settings: ["OPENLEDGER_WEBHOOKS_PLAIN": "true"]) { economy in
                try await body(economy, ear, "http://127.0.0.1:\(server.port)/told")
            }
        } catch {
            await server.stop(grace: .zero)
            throw error
        }
        await server.stop(grace: .zero)
    }

    @Test func partiesAreToldOfTheirTasksAloneSignedTwice() async throws {
        try await withEar { economy, ear, url in
            let ann = try await economy.person(1_000)
            let bob = try await economy.person(0)
            let eve = try await economy.person(0)
            let wish: JSONValue = ["url": .string(url), "types": ["task.opened", "task.submitted"]]
            let made = try await economy.ok("POST", "/v1/webhooks", bob.token, wish, key: "hook")
            #expect(try await economy.ok("POST", "/v1/webhooks", bob.token, wish, key: "hook") == made)
            _ = try await economy.ok("POST", "/v1/webhooks", eve.token, ["url": .string(url)])
            ear.answer(500)
            let task = try await economy.open(ann, bob, 100)
            #expect(try await economy.fund(ann, task, 100).status == 200)
            try await eventually("what failed comes again", timeout: .seconds(60)) { ear.heard.count == 2 }
            try await economy.submit(bob, task)
            try await eventually("the delivery is told", timeout: .seconds(60)) { ear.heard.count == 3 }
            // What was funded was not asked for, and eve has nothing to do with it.
            let types = try ear.heard.map { try JSON.parse($0.body)["type"]?.stringValue }
            #expect(types == ["task.opened", "task.opened", "task.submitted"])
            let secret = try #require(made["secret"]?.stringValue.flatMap { Base64.decode(String($0.dropFirst("whsec_".count))) })
            let published = try await economy.ok("GET", MessageSigner.directory, nil)
            let names = published["keys"]?.arrayValue?.compactMap { $0["kid"]?.stringValue } ?? []
            #expect(names.count == 2)
            for message in ear.heard {
                let (id, time) = (message.headers["webhook-id"] ?? "", message.headers["webhook-timestamp"] ?? "")
                let code = HMACSHA256.code(Array("\(id).\(time).".utf8) + message.body, key: secret)
                #expect(message.headers["webhook-signature"] == "v1," + Base64.encode(code.bytes))
                let signature = try #require(try MessageSignature.all(in: message.headers).first)
                let entry = try #require(published["keys"]?.arrayValue?.first { $0["kid"]?.stringValue == signature.keyID })
                let key = try Ed25519PublicKey(try #require(entry["x"]?.stringValue.flatMap { Base64URL.decode($0) }))
                let sent = try #require(SignedMessage(method: "POST", url: url, headers: message.headers))
                #expect(try signature.isValid(for: sent, by: key))
                #expect(try ContentDigest.isRight(message.headers["Content-Digest"] ?? "", for: message.body))
            }
            let id = try #require(made["id"]?.stringValue)
            try await eventually("the log of deliveries has all attempts") {
                let log = try await economy.ok("GET", "/v1/webhooks/\(id)/deliveries", bob.token)["items"]?.arrayValue ?? []
                return log.map { $0["attempts"]?.intValue } == [1, 2] && log.allSatisfy { $0["state"] == "delivered" }
            }
            #expect(try await economy.call("GET", "/v1/webhooks/\(id)/deliveries", eve.token).status == 404)
            #expect(try await economy.call("DELETE", "/v1/webhooks/\(id)", eve.token).status == 404)
            // Another secret, then the end.
            let next = try await economy.ok("POST", "/v1/webhooks/\(id)/secret", bob.token, ["generation": 0])
            #expect(next["secret"] != made["secret"] && next["generation"] == 1)
            #expect(try await economy.call("DELETE", "/v1/webhooks/\(id)", bob.token).status == 204)
            #expect(try await economy.ok("GET", "/v1/webhooks", bob.token)["items"] == [])
        }
    }

    @Test func nothingInsideIsCalled() async throws {
        try await withEconomy { economy in
            let ann = try await economy.person(0)
            for url in [
                "http://example.com/x", "https://127.0.0.1/x", "https://[::1]/x", "https://2130706433/", "https://localhost/x",
                "https://gateway.internal/x", "https://user:secret@example.com/", "ftp://example.com/", "nonsense",
            ] {
                let answer = try await economy.call("POST", "/v1/webhooks", ann.token, ["url": .string(url)])
                #expect(answer.status == 422, "\(url)")
            }
            let fine: JSONValue = ["url": "https://example.com/x"]
            let wrong: [JSONValue] = [
                ["url": "https://example.com/x", "types": ["task.opend"]], ["url": "https://example.com/x", "types": ["deposit.received"]],
            ]
            for wish in wrong { #expect(try await economy.call("POST", "/v1/webhooks", ann.token, wish).status == 422) }
            let unknown: JSONValue = ["url": "https://example.com/x", "task": "tk_none"]
            #expect(try await economy.call("POST", "/v1/webhooks", ann.token, unknown).status == 404)
            #expect(try await economy.call("POST", "/v1/webhooks", ann.token, fine, key: "a").status == 200)
            #expect(try await economy.call("POST", "/v1/webhooks", ann.token, ["url": "https://example.com/y"], key: "a").status == 422)
        }
    }

    @Test func anAgentsOwnKeyOpensWhatItsTokenDoes() async throws {
        try await withEconomy { economy in
            let ann = try await economy.person(0)
            let keyID = PublicKeySet.thumbprint(of: ann.key.publicKey)
            let signer = MessageSigner(key: ann.key, keyID: keyID, agent: nil)
            let body: JSONValue = ["page": ["name": "Ebb", "description": "When"], "price": EconomyHouse.amount(1), "seconds": 60]
            func headers(
                _ path: String, _ body: JSONValue, covering: [String] = ["idempotency-key"], at: Int64 = UnixTime.now
            ) throws -> [String: String] {
                var fields: Headers = ["Idempotency-Key": "signed"]
                for field in try signer.sign(
                    "POST", "http://house" + path, headers: fields, body: JSON.write(body), covering: covering, now: at)
                { fields.set(field.name, field.value) }
                return Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value) })
            }
            let good = try headers("/v1/services", body)
            let listed = try await economy.call("POST", "/v1/services", nil, body, headers: good, key: "signed")
            #expect(listed.status == 201 && listed.text("provider") == ann.id, "\(listed.json)")
            // The same again, another body, another path, another key of the command, and long ago.
            #expect(try await economy.call("POST", "/v1/services", nil, body, headers: good, key: "signed").status == 401)
            let other: JSONValue = ["page": ["name": "Flood", "description": "When"], "price": EconomyHouse.amount(1), "seconds": 60]
            let fresh = try headers("/v1/services", body)
            #expect(try await economy.call("POST", "/v1/services", nil, other, headers: fresh, key: "signed").status == 401)
            let elsewhere = try headers("/v1/webhooks", body)
            #expect(try await economy.call("POST", "/v1/services", nil, body, headers: elsewhere, key: "signed").status == 401)
            let uncovered = try headers("/v1/services", body, covering: [])
            #expect(try await economy.call("POST", "/v1/services", nil, body, headers: uncovered, key: "signed").status == 401)
            let late = try headers("/v1/services", body, at: UnixTime.now - 301)
            let answer = try await economy.call("POST", "/v1/services", nil, body, headers: late, key: "signed")
            #expect(answer.status == 401 && answer.headers["WWW-Authenticate"] != nil)
        }
    }
}
