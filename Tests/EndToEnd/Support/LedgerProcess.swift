import EventLog
import Events
import HTTP
import HTTPClient
import Identity
import JSON
import PrivatePostgres
import TestSupport

/// One `openledger serve ledger`, and how the others speak with it.
final class LedgerProcess: Sendable {
    let house: House
    let name: String
    let port: Int
    let child: ChildProcess
    private let environment: [String: String]
    private let tokens: [Service: ServiceTokenSource]

    init(house: House, name: String, port: Int, child: ChildProcess, environment: [String: String]) {
        self.house = house
        self.name = name
        self.port = port
        self.child = child
        self.environment = environment
        tokens = Dictionary(
            uniqueKeysWithValues: Service.allCases.compactMap { service in
                (try? house.signer(service)).map { (service, ServiceTokenSource(signer: $0)) }
            })
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var pid: Int32 { child.process.pid }

    /// The log as a service has it.
    func client(_ service: Service = .billing) -> HTTPLogClient {
        let source = tokens[service]
        return HTTPLogClient(transport: house.transport, base: url + "/log") { try await source?.token(for: "ledger") }
    }

    /// Kills it and starts another one in its place.
    func killAndRestart() async throws -> LedgerProcess {
        await child.kill()
        return try await startedAgain()
    }

    /// Another one with the same settings, at the same address.
    func startedAgain(awaitReady: Bool = true) async throws -> LedgerProcess {
        try await house.startLedger(name, port: port, environment: environment, awaitReady: awaitReady)
    }

    /// Any request; a token of billing's unless told otherwise.
    func ask(_ method: String = "GET", _ path: String, body: [UInt8] = [], token: String? = nil, type: String = "application/json")
        async throws -> Answer
    {
        var request = ClientRequest(method: method, url: url + path, body: .bytes(body))
        if !body.isEmpty { request.headers.set("Content-Type", type) }
        let own = try await tokens[.billing]?.token(for: "ledger")
        if let token = token ?? own, !token.isEmpty { request.headers.set("Authorization", "Bearer " + token) }
        let response = try await house.transport.send(request)
        return Answer(status: response.status, bytes: try await response.body.collect(upTo: 64 << 20))
    }

    /// What `/log/v1/status` says.
    func status() async throws -> (size: UInt64, isLeading: Bool) {
        let answer = try await ask("GET", "/log/v1/status")
        guard answer.status == 200, case .int(let size)? = answer.json?["size"], case .bool(let leading)? = answer.json?["leading"] else {
            throw Unfit("status: \(answer)")
        }
        return (UInt64(size), leading)
    }

    /// Waits until this one has read as far as another's log goes now.
    func follow(_ leader: LedgerProcess) async throws {
        let size = try await leader.status().size
        try await eventually("\(name) to follow up to \(size)") { try await self.status().size == size }
    }

    func isLeading() async -> Bool { (try? await status().isLeading) ?? false }

    /// What one metric has now.
    func metric(_ name: String) async throws -> Double? {
        let lines = try await ask("GET", "/metrics", token: "").text.split(separator: "\n")
        return lines.first { $0.hasPrefix(name + " ") || $0.hasPrefix(name + "{") }?.split(separator: " ").last.flatMap { Double($0) }
    }
}

extension House {
    /// A plain GET of any address.
    func ask(_ url: String) async throws -> Answer {
        let response = try await transport.send(ClientRequest(url: url))
        return Answer(status: response.status, bytes: try await response.body.collect(upTo: 64 << 20))
    }
}

/// An answer, whole.
struct Answer: Sendable, CustomStringConvertible {
    let status: Int
    let bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var json: JSONObject? { if case .object(let object)? = try? JSON.parse(bytes) { object } else { nil } }
    /// The problem's code, what its `type` ends with.
    var problem: String? {
        if case .string(let type)? = json?["type"], type.hasPrefix("/problems/") { String(type.dropFirst(10)) } else { nil }
    }
    var description: String { "\(status) \(text.prefix(300))" }
}
