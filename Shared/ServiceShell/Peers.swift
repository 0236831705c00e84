public import Events
internal import HTTP
public import HTTPClient
public import JSON

/// The other services, as one of them calls them: by their public REST interface, with its own token.
public struct Peers: Sendable {
    private let transport: any Transport
    private let addresses: [Service: String]
    private let token: @Sendable (Service) async throws -> String

    /// - Parameters:
    ///   - transport: sockets, or the same process.
    ///   - addresses: where each service's paths begin, such as `http://127.0.0.1:7406`.
    ///   - token: gives a token that the service accepts.
    public init(
        transport: any Transport, addresses: [Service: String], token: @escaping @Sendable (Service) async throws -> String
    ) {
        self.transport = transport
        self.addresses = addresses
        self.token = token
    }

    /// The same services, called with other tokens.
    public func using(token: @escaping @Sendable (Service) async throws -> String) -> Peers {
        Peers(transport: transport, addresses: addresses, token: token)
    }

    /// Calls a route that answers with JSON.
    /// - Parameters:
    ///   - path: with its query.
    ///   - key: the Idempotency-Key, for commands. The call is then safe to send twice, and is sent again when its answer was lost.
    ///   - limit: most bytes of the answer.
    /// - Throws: ``PeerError`` for every answer but 2xx, or `HTTPClientError`.
    public func call(
        _ method: String = "GET", _ service: Service, _ path: String, json: JSONValue? = nil, key: String? = nil,
        timeout: Duration = .seconds(30), limit: Int = 16 << 20
    ) async throws -> JSONValue {
        let body = try await bytes(method, service, path, json: json, key: key, timeout: timeout, limit: limit)
        return body.isEmpty ? .null : try JSON.parse(body)
    }

    /// Calls a route and gives the body as it came.
    public func bytes(
        _ method: String = "GET", _ service: Service, _ path: String, json: JSONValue? = nil, key: String? = nil,
        timeout: Duration = .seconds(30), limit: Int = 16 << 20
    ) async throws -> [UInt8] {
        let response = try await open(method, service, path, json: json, key: key, timeout: timeout, limit: limit)
        let body = try await response.body.collect(upTo: limit)
        guard response.status < 300 else { throw PeerError(service, response.status, body) }
        return body
    }

    /// Sends bytes to a route that takes them.
    /// - Parameter headers: further fields: name and value.
    public func send(
        _ bytes: [UInt8], type: String, method: String = "PUT", headers: [(String, String)] = [], to service: Service, _ path: String,
        timeout: Duration = .seconds(120)
    ) async throws {
        guard let address = addresses[service] else { throw PeerError(service, 0, Array("it is not configured".utf8)) }
        var request = ClientRequest(method: method, url: address + path, timeout: timeout, maximumBodyBytes: 1 << 20)
        for (name, value) in headers { request.headers.set(name, value) }
        request.headers.set("Content-Type", type)
        request.headers.set("Authorization", "Bearer " + (try await token(service)))
        request.body = .bytes(bytes)
        request.isIdempotent = method == "PUT"
        let response = try await transport.send(request)
        let body = try await response.body.collect(upTo: 1 << 20)
        guard response.status < 300 else { throw PeerError(service, response.status, body) }
    }

    /// Calls a route whose answer streams. Every status is an answer.
    public func open(
        _ method: String = "GET", _ service: Service, _ path: String, json: JSONValue? = nil, key: String? = nil,
        timeout: Duration? = nil, limit: Int = 1 << 30
    ) async throws -> ClientResponse {
        guard let address = addresses[service] else { throw PeerError(service, 0, Array("it is not configured".utf8)) }
        return try await open(method, url: address + path, as: service, json: json, key: key, timeout: timeout, limit: limit)
    }

    /// Calls a URL of one's own, such as a runner's, with a token that is meant for a service.
    /// - Parameter silence: how long the other side may send nothing before the call fails; within one process it is not looked at.
    public func open(
        _ method: String, url: String, as service: Service, json: JSONValue? = nil, key: String? = nil, timeout: Duration? = nil,
        silence: Duration? = nil, limit: Int = 1 << 30
    ) async throws -> ClientResponse {
        var request = ClientRequest(method: method, url: url, timeout: timeout, stallTimeout: silence, maximumBodyBytes: limit)
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        }
        if let key {
            request.headers.set("Idempotency-Key", key)
            request.isIdempotent = true
        }
        request.headers.set("Authorization", "Bearer " + (try await token(service)))
        return try await transport.send(request)
    }
}

/// Another service did not do what it was asked.
public struct PeerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Which service.
    public let service: Service
    /// The status of its answer; 0 when it was not asked.
    public let status: Int
    /// The code of its problem, such as `not-found`; empty when it gave none.
    public let code: String
    /// What it said.
    public let detail: String

    /// From an answer that is no success.
    public init(_ service: Service, _ status: Int, _ body: [UInt8]) {
        self.service = service
        self.status = status
        let problem = try? JSON.parse(body)
        code = problem?["type"]?.stringValue.map { String($0.split(separator: "/").last ?? "") } ?? ""
        detail = problem?["detail"]?.stringValue ?? String(decoding: body.prefix(200), as: UTF8.self)
    }

    /// The fault in one line.
    public var description: String { "\(service.rawValue) answered \(status)\(code.isEmpty ? "" : " \(code)"): \(detail)" }
}
