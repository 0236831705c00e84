import Crypto
import EventLog
import Events
import Foundation
import JSON
import Postgres
import PrivatePostgres
import TestSupport

/// One `openledger serve NAME` of a service beside a ledger, to be killed and started again at the same place.
final class ServedProcess: Sendable {
    let name: String
    let port: Int
    let child: ChildProcess
    private let house: House
    private let service: Service
    private let environment: [String: String]

    private init(
        name: String, port: Int, child: ChildProcess, house: House, service: Service, environment: [String: String]
    ) {
        self.name = name
        self.port = port
        self.child = child
        self.house = house
        self.service = service
        self.environment = environment
    }

    /// - Parameters:
    ///   - service: whose key and role it has.
    ///   - more: settings beside those that every service needs.
    static func start(
        _ name: String, as service: Service, in house: House, ledger: String, more: [String: String] = [:], port: Int? = nil,
        awaitReady: Bool = true
    ) async throws -> ServedProcess {
        let port = try port ?? freePort()
        let schema = service.rawValue.split(separator: "-").joined(separator: "_")
        try await Roles(try PostgresConfiguration(url: house.cluster.url())).ensure([Roles.Login(service: schema, password: nil)])
        var environment = [
            "OPENLEDGER_DATABASE": house.cluster.url(user: "openledger_" + schema), "OPENLEDGER_JWKS": house.folder.path("jwks.json"),
            "OPENLEDGER_SERVICE_KEY_FILE": try house.keyFile(service), "OPENLEDGER_PORT": "\(port)", "OPENLEDGER_LEDGER_URL": ledger,
            "OPENLEDGER_DATA": house.folder.path(name), "OPENLEDGER_SHARED": house.folder.path("shared"),
            "OPENLEDGER_ACCESS_LOG": "false",
        ]
        environment.merge(more) { _, given in given }
        let child = try await ChildProcess(["serve", name], environment: environment)
        let process = ServedProcess(name: name, port: port, child: child, house: house, service: service, environment: environment)
        if awaitReady { try await process.awaitReady() }
        return process
    }

    var url: String { "http://127.0.0.1:\(port)" }

    func awaitReady() async throws { try await child.waitUntilReady(url + "/readyz") }

    /// Stops it in an orderly way, and starts another one in its place.
    /// - Returns: how it ended, and the other one.
    func stopAndRestart() async throws -> (ending: ExitStatus, next: ServedProcess) {
        let ending = await child.stop()
        let next = try await ServedProcess.start(
            name, as: service, in: house, ledger: environment["OPENLEDGER_LEDGER_URL"] ?? "", more: environment, port: port,
            awaitReady: false)
        return (ending, next)
    }

    /// Kills it and starts another one in its place, without waiting for it.
    func killAndRestart() async throws -> ServedProcess {
        await child.kill()
        return try await ServedProcess.start(
            name, as: service, in: house, ledger: environment["OPENLEDGER_LEDGER_URL"] ?? "", more: environment, port: port,
            awaitReady: false)
    }
}
