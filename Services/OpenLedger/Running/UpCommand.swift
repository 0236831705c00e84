import Foundation
import HTTPServer
import Identity
import LedgerService
import ServiceShell
import Telemetry

/// `openledger up`: the whole house in one process.
enum UpCommand {
    static let specification = ArgumentSpecification(
        command: "openledger up", summary: "Runs everything in one process, on a private PostgreSQL that it starts by itself.",
        options: [
            .init(name: "data", value: "FOLDER", help: "Where everything is kept; .openledger when left out."),
            .init(name: "host", value: "ADDRESS", help: "Where to listen; 127.0.0.1 when left out."),
            .init(name: "port", value: "PORT", help: "Where to listen; 7400 when left out, 0 for any free port."),
            .init(name: "ledger-only", value: nil, help: "Only the ledger, without the services that stand on it."),
            .init(name: "origin", value: "NAME", help: "The log's name, given on its first start; localhost/log when left out."),
        ],
        notes:
            "The first start makes all keys, and one administrator whose API key it prints once\n(openledger key --new-administrator makes another). Ctrl-C stops."
    )

    static func run(_ words: [String]) async throws -> Int32 {
        let arguments = try specification.parse(words)
        let settings = try Configuration.ofProcess()
        let port = try arguments.integer("port", in: 0...65_535, default: try settings.integer("PORT", in: 0...65_535, default: 7400))
        let host = arguments.value("host") ?? settings.string("HOST", default: "127.0.0.1")
        let home = EmbeddedHome(path: absolute(arguments.value("data") ?? settings.string("DATA", default: ".openledger")))
        let logger = Logger(level: try settings.logLevel())

        let address = try ListenAddress.parse(host: host, port: port)
        let origin = arguments.value("origin") ?? settings.string("LOG_ORIGIN", default: "localhost/log")
        Signals.listen(hangUp: true)
        do {
            try await serve(
                home, settings, origin: origin, services: arguments.has("ledger-only") ? [] : ServiceList.all, at: address, logger: logger
            ) { announce(host: host, port: $0, ledger: $1, home: home, administrator: $2) }
        } catch is Interrupted {
            Terminal.note("stopped before it was up")
            return Interrupted.status
        }
        return 0
    }

    private static func serve(
        _ home: EmbeddedHome, _ settings: Configuration, origin: String, services: [any RunnableService.Type], at address: Address,
        logger: Logger, announce: @escaping @Sendable (_ port: Int, _ ledger: Ledger, _ administrator: APIKey?) -> Void
    ) async throws {
        Terminal.note("starting PostgreSQL in \(home.postgres)")
        let house = try await EmbeddedHouse.open(home, settings) { Terminal.note($0) }
        try await house.serve(
            origin: origin, services: services, at: address, options: try ServingOptions(settings), logger: logger, until: Signals.stop
        ) { port, ledger in
            // Only now: services ask for their own settings while they open.
            for key in settings.unknownKeys() { logger.warning("\(key) is no setting of OpenLedger") }
            announce(port, ledger, house.newAdministrator)
        }
    }

    private static func announce(host: String, port: Int, ledger: Ledger, home: EmbeddedHome, administrator: APIKey?) {
        let url = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        Terminal.say("OpenLedger is up: \(url)")
        Terminal.say("  log     \(url)/log/checkpoint, \(ledger.tail.size) events")
        for key in ledger.verifierKeys { Terminal.say("  key     \(key)") }
        Terminal.say("  API     \(url)/openapi.json")
        Terminal.say("  data    \(home.path)")
        if let administrator {
            Terminal.say("")
            Terminal.say("The administrator's API key, shown this once: \(administrator.reveal())")
        }
        Terminal.say("")
        Terminal.say("Ctrl-C stops.")
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

/// Where the migrations lie: named by OPENLEDGER_MIGRATIONS, else beside the program or its sources.
enum Migrations {
    static func folder(_ settings: Configuration) throws -> String {
        if let path = settings.string("MIGRATIONS") { return path }
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        var place = program.deletingLastPathComponent()
        for _ in 0..<6 {
            for candidate in ["migrations", "share/openledger/migrations"] {
                let path = place.appendingPathComponent(candidate).path
                if FileManager.default.fileExists(atPath: path + "/ledger") { return path }
            }
            place = place.deletingLastPathComponent()
        }
        throw CommandError("the folder of migrations is nowhere near \(program.path): name it in OPENLEDGER_MIGRATIONS")
    }
}

/// Reads where to listen.
enum ListenAddress {
    static func parse(host: String, port: Int) throws -> Address {
        if host.hasPrefix("unix:") { return .unix(String(host.dropFirst(5)), mode: 0o660) }
        if host.contains(":") { return .ipv6(host, port: port) }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) else {
            throw CommandError("\(host) is no numeric address to listen at, such as 127.0.0.1, ::1, 0.0.0.0 or unix:/run/openledger.sock")
        }
        return .ipv4(host, port: port)
    }
}
