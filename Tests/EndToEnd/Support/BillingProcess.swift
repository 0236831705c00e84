import Crypto
import EventLog
import Events
import HTTP
import HTTPClient
import Identity
import JSON
import Postgres
import PrivatePostgres
import TestSupport

/// One `openledger serve billing` beside a ledger, and how others speak with it.
final class BillingProcess: Sendable {
    let house: House
    let name: String
    let port: Int
    let child: ChildProcess
    private let ledger: String
    private let token: String

    private init(house: House, name: String, port: Int, child: ChildProcess, ledger: String, token: String) {
        self.house = house
        self.name = name
        self.port = port
        self.child = child
        self.ledger = ledger
        self.token = token
    }

    static func start(_ name: String, in house: House, ledger: String, port: Int? = nil, awaitReady: Bool = true) async throws
        -> BillingProcess
    {
        let port = try port ?? freePort()
        let owner = try PostgresConfiguration(url: house.cluster.url())
        try await Roles(owner).ensure([Roles.Login(service: "billing", password: nil)])
        let child = try await ChildProcess(
            ["serve", "billing"],
            environment: [
                "OPENLEDGER_DATABASE": house.cluster.url(user: "openledger_billing"), "OPENLEDGER_JWKS": house.folder.path("jwks.json"),
                "OPENLEDGER_SERVICE_KEY_FILE": try house.keyFile(.billing), "OPENLEDGER_PORT": "\(port)", "OPENLEDGER_LEDGER_URL": ledger,
                "OPENLEDGER_DATA": house.folder.path(name), "OPENLEDGER_SHARED": house.folder.path("shared"),
                "OPENLEDGER_ACCESS_LOG": "false",
            ])
        let token = try house.signer(.agentGateway).mint(
            subject: "root", audience: "openledger", kind: .person,
            scopes: ["billing:admin", "billing:read", "billing:deposit", "billing:hold", "billing:verify"], lifetime: 3_600)
        let process = BillingProcess(house: house, name: name, port: port, child: child, ledger: ledger, token: token)
        if awaitReady { try await child.waitUntilReady(process.url + "/readyz") }
        return process
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// Kills it and starts another one in its place.
    func killAndRestart(awaitReady: Bool = true) async throws -> BillingProcess {
        await child.kill()
        return try await BillingProcess.start(name, in: house, ledger: ledger, port: port, awaitReady: awaitReady)
    }

    /// Makes its rows anew, or compares them, by the command that operators have.
    func rebuild(_ options: String...) async throws -> (status: ExitStatus, output: String) {
        let child = try await ChildProcess(
            ["rebuild", "billing"] + options,
            environment: [
                "OPENLEDGER_DATABASE": house.cluster.url(), "OPENLEDGER_SERVICE_KEY_FILE": try house.keyFile(.billing),
                "OPENLEDGER_LEDGER_URL": ledger, "OPENLEDGER_DATA": house.folder.path(name),
                "OPENLEDGER_SHARED": house.folder.path("shared"),
            ])
        guard let status = await child.process.wait(atMost: .seconds(90)) else {
            await child.kill()
            throw Unfit("the rebuild did not end\n\(child.output)")
        }
        return (status, child.output)
    }

    /// Its rows are what the log says.
    func compareRows() async throws {
        let compared = try await rebuild("--compare")
        if !compared.status.isSuccess { throw Unfit("rows of billing are not what the log says\n\(compared.output)") }
    }

    /// Any request, as somebody who may do all.
    func ask(_ method: String = "GET", _ path: String, _ json: JSONValue? = nil, key: String? = nil) async throws -> Answer {
        var request = ClientRequest(method: method, url: url + path, timeout: .seconds(20))
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        }
        if let key { request.headers.set("Idempotency-Key", key) }
        request.headers.set("Authorization", "Bearer " + token)
        let response = try await house.transport.send(request)
        return Answer(status: response.status, bytes: try await response.body.collect(upTo: 16 << 20))
    }
}
