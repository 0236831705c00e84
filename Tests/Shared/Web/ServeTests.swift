import Foundation
import HTTP
import HTTPClient
import HTTPServer
import JSON
import Telemetry
import Testing

@testable import Web

/// The same application over a real server, by a client over a socket and by the transport within the process.
@Suite struct ServeTests {
    private func withServer(_ body: (TestApplication, any Transport, String) async throws -> Void) async throws {
        let test = try TestApplication()
        let running = try await test.application.serve([.ipv4("127.0.0.1", port: 0)])
        do {
            try await body(test, CurlTransport(), "http://127.0.0.1:\(running.port)")
            try await body(test, InProcessTransport(handler: test.conformance.handler), "http://shop.internal")
        } catch {
            await running.stop(grace: .zero)
            throw error
        }
        await running.stop(grace: .zero)
        #expect(test.conformance.violations == [])
    }

    private func read(_ response: ClientResponse) async throws -> JSONValue {
        var bytes: [UInt8] = []
        for try await piece in response.body { bytes += piece }
        return bytes.isEmpty ? .null : try JSON.parse(bytes)
    }

    @Test func bothTransportsGetTheSameAnswers() async throws {
        try await withServer { _, transport, base in
            var request = ClientRequest(url: base + "/v1/items/a%20b?full=true", headers: TestApplication.token("items:read"))
            var answer = try await transport.send(request)
            #expect(answer.status == 200)
            #expect(try await read(answer)["id"] == "a b")

            request = ClientRequest(url: base + "/v1/items/a")
            answer = try await transport.send(request)
            #expect(answer.status == 401)
            #expect(try await read(answer)["type"] == "/problems/unauthenticated")

            request = ClientRequest(method: "HEAD", url: base + "/v1/items/a", headers: TestApplication.token("items:read"))
            answer = try await transport.send(request)
            #expect(answer.status == 200)
            #expect(try await read(answer) == .null)

            request = ClientRequest(url: base + "/v1/items/a%2Fb", headers: TestApplication.token("items:read"))
            answer = try await transport.send(request)
            #expect(answer.status == 400)

            var headers = TestApplication.token("orders:write")
            headers.set("Content-Type", "application/json")
            headers.set("Idempotency-Key", "k")
            request = ClientRequest(
                method: "POST", url: base + "/v1/orders", headers: headers, body: .bytes(Array(#"{"item":"tea","amount":"5"}"#.utf8)))
            answer = try await transport.send(request)
            #expect(answer.status == 201)
            #expect(answer.headers["X-Request-Id"]?.count == 32)
            _ = try await read(answer)

            request.body = .bytes([UInt8](repeating: 0x20, count: 1001))
            answer = try await transport.send(request)
            #expect(answer.status == 413)
            #expect(try await read(answer)["type"] == "/problems/body-too-large")

            request = ClientRequest.serverSentEvents(
                url: base + "/v1/events", headers: TestApplication.token("items:read"), lastEventID: "0")
            answer = try await transport.send(request)
            var text = ""
            for try await piece in answer.body { text += String(decoding: piece, as: UTF8.self) }
            #expect(text == "event: e\nid: 1\ndata: {}\n\nevent: e\nid: 2\ndata: {}\n\n")
        }
    }

    @Test func aRoutesOwnDeadlineMayBeLongerThanTheServers() async throws {
        func route(_ path: String, _ deadline: Duration?) -> Route {
            Route(
                .get, path, operation: "get" + path.dropFirst(4), summary: "Takes its time.", access: .public,
                replies: [.empty(204, "Done.")], deadline: deadline
            ) { _ in
                try await Task.sleep(for: .milliseconds(1_500))
                return .noContent
            }
        }
        let test = try TestApplication(extra: [route("/v1/patient", .seconds(60)), route("/v1/usual", nil)])
        var options = Options()
        options.handlerTimeout = .milliseconds(300)
        let running = try await test.application.serve([.ipv4("127.0.0.1", port: 0)], options: options)
        let (transport, base) = (try CurlTransport(), "http://127.0.0.1:\(running.port)")
        async let usual = transport.send(ClientRequest(url: base + "/v1/usual"))
        async let patient = transport.send(ClientRequest(url: base + "/v1/patient"))
        let statuses = try await (usual.status, patient.status)
        await running.stop(grace: .zero)
        #expect(statuses.0 == 503 && statuses.1 == 204)
    }

    @Test func anAddressInUseIsAnErrorAndLeavesNothingOpen() async throws {
        let test = try TestApplication()
        let first = try await test.application.serve([.ipv4("127.0.0.1", port: 0)])
        await #expect(throws: ServerError.self) {
            _ = try await test.application.serve([.ipv4("127.0.0.1", port: 0), .ipv4("127.0.0.1", port: first.port)])
        }
        await first.stop(grace: .zero)
    }
}
