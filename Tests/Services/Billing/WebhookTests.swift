import Crypto
import Events
import HTTP
import HTTPServer
import JSON
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing

@Suite("Webhooks")
struct WebhookTests {
    /// An address that is told, and what it was told.
    private final class Ear: Sendable {
        struct Message: Sendable {
            let id: String
            let timestamp: String
            let signature: String
            let body: [UInt8]
        }

        private let state = Mutex<(heard: [Message], statuses: [Int])>(([], []))

        var heard: [Message] { state.withLock { $0.heard } }
        /// Answers with these first, then with 204.
        func answer(_ statuses: Int...) { state.withLock { $0.statuses = statuses } }

        func take(_ request: Request) async throws -> Response {
            let body = try await request.body.collect(upTo: 1 << 20)
            let message = Message(
                id: request.headers["webhook-id"] ?? "", timestamp: request.headers["webhook-timestamp"] ?? "",
                signature: request.headers["webhook-signature"] ?? "", body: body)
            let status = state.withLock { state in
                state.heard.append(message)
                return state.statuses.isEmpty ? 204 : state.statuses.removeFirst()
            }
            return Response(status: status)
        }
    }

    /// As a receiver checks it: Standard Webhooks' v1.
    private func isSigned(_ message: Ear.Message, by secret: String) throws -> Bool {
        let key = try #require(Base64.decode(String(secret.dropFirst("whsec_".count))))
        let signed = Array("\(message.id).\(message.timestamp).".utf8) + message.body
        let wanted = "v1," + Base64.encode(HMACSHA256.code(signed, key: key).bytes)
        return message.signature.split(separator: " ").contains { $0 == wanted }
    }

    private func withEar(_ body: @Sendable (Desk, Ear, String) async throws -> Void) async throws {
        let ear = Ear()
        let server = try Server(.ipv4("127.0.0.1", port: 0)) { try await ear.take($0) }
        do {
            try await withBilling(settings: ["OPENLEDGER_WEBHOOKS_PLAIN": "true"]) { desk in
                try await body(desk, ear, "http://127.0.0.1:\(server.port)/told")
            }
        } catch {
            await server.stop(grace: .zero)
            throw error
        }
        await server.stop(grace: .zero)
    }

    @Test("what happens on an account is told once it is taken, signed, in the log's words, and the log of deliveries says so")
    func told() async throws {
        try await withEar { desk, ear, url in
            try await desk.open("payer:pia", deposit: 1_000_000)
            let wish: JSONValue = ["account": "payer:pia", "url": .string(url), "types": ["deposit.received", "hold.placed"]]
            let pia = try desk.house.token("pia")
            let made = try await desk.raw("POST", "/v1/statements/webhooks", wish, key: "wh-1", token: pia)
            #expect(made.status == 200, "\(String(decoding: made.body, as: UTF8.self))")
            #expect(try await desk.raw("POST", "/v1/statements/webhooks", wish, key: "wh-1", token: pia).body == made.body)
            let secret = try #require(try JSON.parse(made.body)["secret"]?.stringValue)
            let id = try #require(try JSON.parse(made.body)["id"]?.stringValue)
            // The first two attempts go wrong: the third has the same id.
            ear.answer(500)
            try await desk.post(
                "/v1/accounts/payer:pia/deposits",
                ["amount": ["asset": "USDC/6", "amount": "77"], "rail": "bank", "reference": "second"], key: "deposit-2")
            try await desk.open("payer:vic", deposit: 5)
            try await eventually("it is told twice", timeout: .seconds(30)) { ear.heard.count == 2 }
            let (first, second) = (ear.heard[0], ear.heard[1])
            #expect(first.id == second.id && first.body == second.body)
            #expect(try isSigned(first, by: secret) && isSigned(second, by: secret))
            #expect(try !isSigned(first, by: "whsec_" + Base64.encode(Array(repeating: 1, count: 32))))
            let told = try JSON.parse(first.body)
            #expect(told["type"]?.stringValue == "deposit.received" && told["data"]?["account"]?.stringValue == "payer:pia")
            #expect(told["data"]?["event"]?["reference"]?.stringValue == "second")
            try await eventually("the log of deliveries has both attempts") {
                let log = try await desk.get("/v1/statements/webhooks/\(id)/deliveries")["items"]?.arrayValue ?? []
                let attempts = log.first?["log"]?.arrayValue?.map { $0["status"]?.intValue }
                return log.count == 1 && log[0]["state"]?.stringValue == "delivered" && attempts == [500, 204]
            }
            // Another secret: for a day both sign.
            let rotated = try await desk.raw(
                "POST", "/v1/statements/webhooks/\(id)/secret", ["generation": 0], key: "rotate-1", token: pia)
            let next = try #require(try JSON.parse(rotated.body)["secret"]?.stringValue)
            #expect(next != secret)
            let hold: JSONValue = ["account": "payer:pia", "amount": ["asset": "USDC/6", "amount": "5"], "seconds": 60]
            try await desk.post("/v1/holds", hold, key: "hold-1")
            try await eventually("the hold is told") { ear.heard.count == 3 }
            #expect(try isSigned(ear.heard[2], by: secret) && isSigned(ear.heard[2], by: next))
            // Gone is gone.
            ear.answer(410)
            try await desk.post("/v1/holds", hold, key: "hold-2")
            try await eventually("it is ended") {
                try await desk.get("/v1/statements/webhooks?account=payer:pia")["items"]?.arrayValue?.isEmpty == true
            }
        }
    }

    @Test("nobody is told of another's account, and no address inside the house is called")
    func refused() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 1)
            let mallory = try desk.house.token("mallory")
            func make(_ url: String, _ key: String, token: String? = nil, types: JSONValue = []) async throws -> Int {
                try await desk.raw(
                    "POST", "/v1/statements/webhooks", ["account": "payer:pia", "url": .string(url), "types": types], key: key, token: token
                ).status
            }
            #expect(try await make("https://example.com/x", "w1", token: mallory) == 403)
            for (place, url) in [
                "http://example.com/x", "https://127.0.0.1/x", "https://[::1]/x", "https://2130706433/", "https://localhost/x",
                "https://billing.internal/x", "https://user:secret@example.com/", "ftp://example.com/", "nonsense", "https://0x7f000001/",
            ].enumerated() {
                #expect(try await make(url, "u\(place)") == 422, "\(url)")
            }
            #expect(try await make("https://example.com/x", "w2", types: ["hold.placd"]) == 422)
            #expect(try await make("https://example.com/x", "w3") == 200)
            #expect(try await make("https://example.com/y", "w3") == 422)
            let list = try await desk.get("/v1/statements/webhooks?account=payer:pia")
            let id = try #require(list["items"]?.arrayValue?.first?["id"]?.stringValue)
            #expect(list["items"]?.arrayValue?.first?["secret"] == nil)
            #expect(try await desk.raw("DELETE", "/v1/statements/webhooks/" + id, nil, key: nil, token: mallory).status == 403)
            #expect(try await desk.raw("DELETE", "/v1/statements/webhooks/" + id, nil, key: nil).status == 204)
            #expect(try await desk.raw("GET", "/v1/statements/webhooks/wh_none/deliveries", nil, key: nil).status == 404)
        }
    }
}
