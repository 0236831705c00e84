import Blobs
import EventLog
import HTTP
import HTTPClient
import HTTPServer
import Identity
import LedgerService
import ServiceShell
import Synchronization
import Telemetry
import Threads
import Web

/// The ledger, other services, or all of them, and the one application that serves them, from start to graceful stop. What `up` and
/// `serve` share.
struct RunningHouse: Sendable {
    /// The ledger to run here; nil where it runs elsewhere.
    var ledger: LedgerSettings?
    /// The other services to run here.
    var services: [any RunnableService.Type] = []
    /// The folder that all services share, whose evidence is served beside the log; nil where there is none.
    var shared: String?
    /// Where something is kept, whose room is watched.
    var places: [DiskSpace] = []
    /// What a service is given.
    var context: @Sendable (any RunnableService.Type, Neighbourhood) throws -> ServiceContext = { _, _ in
        throw CommandError("this process runs no services besides the ledger")
    }
    /// What is let go of when the services have ended.
    var close: @Sendable () async -> Void = {}
    /// Whether somebody who waits for it to be ready has had enough, apart from who stops it.
    var isGivenUp: @Sendable () -> Bool = { false }
    /// What is done before a service is opened.
    var prepare: @Sendable (any RunnableService.Type, ServiceContext) async throws -> Void = { _, _ in }
    /// Who may come in, given what services may do, and the API keys that they know.
    var authenticator: @Sendable (_ grants: [String: Set<String>], _ keys: [any APIKeyStore]) throws -> Authenticator
    var addresses: [Address]
    var options: ServingOptions
    var logger: Logger

    /// What services find in their own process.
    struct Neighbourhood: Sendable {
        let ledger: Ledger?
        /// Carries requests to the application that serves them all.
        let transport: any Transport
        let logger: Logger
        let metrics: Metrics
    }

    /// What is known once everything answers.
    struct Ready: Sendable {
        let port: Int
        let ledger: Ledger?
    }

    /// Serves until `stop` returns; `onReady` hears when everything can be used, and ends it all by what it throws.
    func serve(
        until stop: @escaping @Sendable () async -> Void = Signals.stop, onReady: @escaping @Sendable (Ready) async throws -> Void
    ) async throws {
        let metrics = Metrics()
        metrics.addProcess()
        let entrance = Entrance()
        let ledger: Ledger?
        if let settings = self.ledger {
            ledger = try await Ledger.make(settings, transport: try CurlTransport(), logger: logger, metrics: metrics)
        } else {
            ledger = nil
        }
        let neighbourhood = Neighbourhood(
            ledger: ledger, transport: InProcessTransport { try await entrance.answer($0) }, logger: logger, metrics: metrics)
        let running = Task { if let ledger { await ledger.run() } }
        do {
            let opened = try await open(neighbourhood)
            var mounts = (ledger.map { [LedgerRoutes($0).mount] } ?? []) + opened.map(\.mount)
            if ledger != nil, let shared {
                mounts.append(EvidenceRoutes { EvidenceStore(blobs: try FolderBlobStore(root: shared + "/evidence")) }.mount)
            }
            if !places.isEmpty { mounts.append(Mount("disk", routes: [], checks: places.map(\.check))) }
            let checks = mounts.flatMap(\.checks)
            let application = try Application(
                name: "OpenLedger", version: Version.text, mounts: mounts,
                authenticator: try authenticator(grants, opened.compactMap(\.apiKeys)), log: logger,
                metrics: metrics, options: options.application)
            entrance.open(application.handler)
            let server = try await application.serve(addresses, options: options.server)
            server.addMetrics(to: metrics)
            let working = Task { [places] in
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await DiskSpace.watch(places, metrics) }
                    for service in opened { group.addTask { await service.run() } }
                }
            }
            let trouble = await Self.wait(until: stop) { [logger, isGivenUp] in
                for check in checks {
                    try await ReadinessWait(check).run(patience: Self.patience, isGivenUp: isGivenUp) { logger.warning("\($0)") }
                }
                try await onReady(Ready(port: server.port, ledger: ledger))
            }
            logger.info("stopping: requests in hand are finished first")
            async let isShut: Void = server.stop(grace: .seconds(10))
            for service in opened { await service.finish() }
            // Who follows the log goes before it: a log that drains answers every wait at once.
            working.cancel()
            await working.value
            await close()
            ledger?.drain()
            await isShut
            if let trouble { throw trouble }
        } catch {
            await close()
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }

    /// How long each check may take before it is named.
    private static let patience = Duration.seconds(60)

    /// Waits until `stop` returns, or until what leads to being ready fails.
    /// - Returns: why it failed.
    private static func wait(
        until stop: @escaping @Sendable () async -> Void, ready: @escaping @Sendable () async throws -> Void
    ) async -> (any Error)? {
        await withTaskGroup(of: Ending.self) { group in
            group.addTask {
                await stop()
                return Ending(isStop: true)
            }
            group.addTask {
                do { try await ready() } catch { return Ending(error: error) }
                return Ending()
            }
            var trouble: (any Error)?
            while let ending = await group.next() {
                trouble = ending.error
                if ending.isStop || trouble != nil { break }
            }
            group.cancelAll()
            return trouble
        }
    }

    private struct Ending: Sendable {
        var isStop = false
        var error: (any Error)?
    }

    private func open(_ neighbourhood: Neighbourhood) async throws -> [any RunnableService] {
        var opened: [any RunnableService] = []
        for type in services {
            let context = try context(type, neighbourhood)
            try await prepare(type, context)
            opened.append(try await type.open(context))
        }
        return opened
    }

    /// What each service may do in this process.
    private var grants: [String: Set<String>] {
        var grants = ledger == nil ? [:] : LedgerRoutes.services
        for type in services { grants.merge(type.grants) { $0.union($1) } }
        return grants
    }
}

/// Where requests from within the process come in, once there is an application to answer them.
private final class Entrance: Sendable {
    /// A bare function in a generic box is wrapped once more whenever the box is opened, and each call then goes through all the wraps.
    private struct Door { let handler: Handler }
    private let door = Lock<Door?>(nil)

    func open(_ handler: @escaping Handler) { door.withLock { $0 = Door(handler: handler) } }

    func answer(_ request: Request) async throws -> Response {
        guard let door = door.withLock({ $0 }) else { return Response(status: 503, headers: ["Retry-After": "1"]) }
        return try await door.handler(request)
    }
}

/// How an application is served.
struct ServingOptions: Sendable {
    var server = Options()
    var application = ApplicationOptions()

    /// From the settings of a deployment.
    init(_ settings: Configuration) throws {
        let proxies = settings.list("TRUSTED_PROXIES")
        server.trustedProxies = try TrustedProxies(ranges: proxies.filter { $0 != "unix" }, unixSockets: proxies.contains("unix"))
        if try settings.boolean("METRICS_FROM_LOOPBACK", default: false) { application.metricsAccess = .scopesOrLoopback(["metrics:read"]) }
        application.accessLog = try settings.boolean("ACCESS_LOG", default: true)
    }
}

/// The product's version, as `--version` and the OpenAPI document say it.
enum Version {
    static let text = "0.1.0"
}
