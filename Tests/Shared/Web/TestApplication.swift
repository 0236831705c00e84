import Crypto
import HTTP
import Identity
import JSON
import Telemetry
import Testing

@testable import Web

/// A small service with one route of each kind, and an application around it that takes made-up credentials.
struct TestApplication {
    let application: Application
    let conformance: OpenAPIConformance
    let recorder = LogRecorder()
    let metrics = Metrics()

    static let outOfStock = ProblemType("out-of-stock", 409, "Out of stock")
    private static let item = Schema.named("Item", .openObject(.required("id", .text), .optional("count", .count)))
    private static let order = Schema.object(
        .required("item", .text(1...32)), .required("amount", .text(.decimal)), .optional("tags", .list(.text(1...8), atMost: 3)))

    /// Tokens `good:<principal>:<scope>,<scope>`; everything else is refused.
    static let authenticator = Authenticator { credential in
        guard case .token(let text) = credential else {
            if credential == .apiKey("olk_alice") {
                return Caller(subject: "alice", issuer: "test", kind: .person, scopes: ["orders:write"])
            }
            throw Authenticator.Refusal("no such key")
        }
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "good" else { throw Authenticator.Refusal("the token's signature is not valid") }
        return Caller(
            subject: String(parts[1]), issuer: "test", kind: .person, scopes: Set(parts[2].split(separator: ",").map(String.init)))
    }

    static func token(_ scopes: String..., of principal: String = "alice") -> Headers {
        ["Authorization": "Bearer good:\(principal):\(scopes.joined(separator: ","))"]
    }

    init(
        checks: [ReadinessCheck] = [], options: ApplicationOptions = ApplicationOptions(), gate: Gate = Gate(), extra: [Route] = [],
        authenticator: Authenticator = TestApplication.authenticator
    ) throws {
        application = try Application(
            name: "Shop", version: "1", mounts: [Mount("shop", routes: Self.routes(gate) + extra, checks: checks)],
            authenticator: authenticator, log: Logger(level: .info, format: .json, sink: recorder.sink), metrics: metrics, options: options)
        conformance = OpenAPIConformance(application)
    }

    /// What a handler waits for, so that a test decides when it ends.
    actor Gate {
        private var isOpen = true
        private var waiting: [CheckedContinuation<Void, Never>] = []
        private var arrivals: [CheckedContinuation<Void, Never>] = []

        func close() { isOpen = false }
        func open() {
            isOpen = true
            for one in waiting { one.resume() }
            waiting = []
        }
        func pass() async {
            if isOpen { return }
            await withCheckedContinuation { continuation in
                waiting.append(continuation)
                for one in arrivals { one.resume() }
                arrivals = []
            }
        }
        func someoneWaits() async {
            if !waiting.isEmpty { return }
            await withCheckedContinuation { arrivals.append($0) }
        }
    }

    struct Unforeseen: Error { let secret = "swordfish" }

    static func routes(_ gate: Gate) -> [Route] {
        [
            Route(
                .get, "/v1/items/{id}", operation: "getItem", summary: "One item.", access: .scope("items:read"),
                query: [QueryParameter("full", .boolean, "Everything.")], replies: [.json(200, "It.", item)], problems: [.notFound]
            ) { context in
                if context.path["id"] == "none" { throw Problem(.notFound, "there is no item none", field: "id") }
                return .json(["id": .string(context.path["id"]), "trace": .string(context.trace.traceID)])
            },
            Route(
                .get, "/v1/items", operation: "listItems", summary: "Items.", access: .scope("items:read"),
                query: Page.parameters(limit: 1...10) + [QueryParameter("tag", .text(1...8), "Only these.", repeated: true)],
                replies: [.json(200, "A page.", Page.schema(item, atMost: 10))]
            ) { context in
                let codec = CursorCodec(list: "listItems", key: [1, 2, 3])
                let page = Page(context, default: 2)
                let from = try page.cursor.map { try codec.decode($0) }.flatMap { $0.first }.flatMap { Int($0) } ?? 0
                let items = (from..<min(5, from + page.limit)).map { JSONValue.object(["id": .string("\($0)")]) }
                return page.response(items, next: from + page.limit < 5 ? codec.encode(["\(from + page.limit)"]) : nil)
            },
            Route(
                .post, "/v1/orders", operation: "placeOrder", summary: "Orders.", access: .scope("orders:write"),
                body: .json(order, limit: 1000, depth: 4), idempotency: .required,
                replies: [.json(201, "Placed.", .openObject(.required("command", .text(.uuid)), .required("digest", .text(.sha256))))],
                problems: [outOfStock]
            ) { context in
                await gate.pass()
                if context.json["item"] == "nothing" { throw Problem(outOfStock, "there is none left", members: [("left", 0)]) }
                let command = try context.requiredCommand
                return .json(["command": .string(command.id), "digest": .string(command.digest.prefixed)], status: 201)
            },
            Route(
                .put, "/v1/blobs/{name}", operation: "putBlob", summary: "Stores.", access: .scope("blobs:write"),
                path: ["name": .text(1...16)], body: .stream(["application/octet-stream"], limit: 100),
                replies: [.json(200, "How many bytes.", .count)]
            ) { context in
                var count: Int64 = 0
                for try await piece in context.stream { count += Int64(piece.count) }
                return .json(.int(count))
            },
            Route(
                .delete, "/v1/items/{id}", operation: "deleteItem", summary: "Takes away.", access: .authenticated,
                replies: [.empty(204, "Gone.")]
            ) { _ in .noContent },
            Route(
                .get, "/v1/broken", operation: "getBroken", summary: "Fails.", access: .public, replies: [.empty(204, "Never.")]
            ) { _ in throw Unforeseen() },
            Route(
                .get, "/v1/slow", operation: "getSlow", summary: "Takes too long.", access: .public, replies: [.empty(204, "In time.")],
                deadline: .milliseconds(20)
            ) { _ in
                try await Task.sleep(for: .seconds(60))
                return .noContent
            },
            Route(
                .get, "/v1/events", operation: "streamEvents", summary: "Events.", access: .scope("items:read"),
                headers: [SSE.lastEventIDHeader], replies: [.events("Events as they come.")], problems: [.badHeader]
            ) { context in
                let from = try SSE.lastPosition(context.request).map { $0 + 1 } ?? 0
                let events = AsyncStream<ServerSentEvent> { stream in
                    for position in from..<3 { stream.yield(ServerSentEvent(event: "e", id: "\(position)", data: "{}")) }
                    stream.finish()
                }
                return SSE.response(events)
            },
        ]
    }

    /// Sends a request through the handler, watched for conformance.
    func send(
        _ method: String, _ target: String, _ headers: Headers = [:], body: [UInt8] = [], peer: Peer? = nil
    ) async throws -> Answer {
        let request = Request(method: method, target: target, headers: headers, body: RequestBody(body), peer: peer)
        return try await Answer(conformance.handler(request))
    }

    /// Sends JSON.
    func post(_ target: String, _ headers: Headers, json: String, key: String? = nil) async throws -> Answer {
        var headers = headers
        headers.set("Content-Type", "application/json")
        if let key { headers.set("Idempotency-Key", key) }
        return try await send("POST", target, headers, body: Array(json.utf8))
    }
}

/// An answer with its body read.
struct Answer {
    let status: Int
    let headers: Headers
    let bytes: [UInt8]

    init(_ response: Response) async throws {
        status = response.status
        headers = response.headers
        switch response.body {
        case .bytes(let bytes): self.bytes = bytes
        case .stream(let write):
            let sink = Collected()
            try await write(BodyWriter(sink: sink))
            bytes = await sink.bytes
        }
    }

    private actor Collected: BodySink {
        var bytes: [UInt8] = []
        func write(_ more: [UInt8]) { bytes += more }
    }

    var json: JSONValue { (try? JSON.parse(bytes)) ?? .null }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    /// The last part of the problem's type.
    var problem: String? { json["type"]?.stringValue.map { String($0.dropFirst("/problems/".count)) } }
}
