import HTTPClient
import HTTPServer
import LedgerService
import Telemetry
import Web

/// A ledger and the application that serves it, from start to graceful stop. What `up` and `serve ledger` share.
enum RunningLedger {
    /// Serves until `stop` returns; `onReady` hears the port once requests are answered and the log can be written or read.
    static func serve(
        _ settings: LedgerSettings, authenticator: Authenticator, at addresses: [Address], options: ServingOptions, logger: Logger,
        until stop: @Sendable () async -> Void = Signals.stop,
        onReady: @escaping @Sendable (_ port: Int, _ ledger: Ledger) async -> Void
    ) async throws {
        let metrics = Metrics()
        metrics.addProcess()
        let ledger = try await Ledger.make(settings, transport: try CurlTransport(), logger: logger, metrics: metrics)
        let application = try Application(
            name: "OpenLedger", version: Version.text, mounts: [LedgerRoutes(ledger).mount], authenticator: authenticator, log: logger,
            metrics: metrics, options: options.application)
        let running = Task { await ledger.run() }
        let server: RunningApplication
        do { server = try await application.serve(addresses, options: options.server) } catch {
            running.cancel()
            await running.value
            throw error
        }
        server.addMetrics(to: metrics)
        let ready = Task {
            while ledger.notReady != nil { try await Task.sleep(for: .milliseconds(10)) }
            await onReady(server.port, ledger)
        }
        await stop()
        ready.cancel()
        logger.info("stopping: requests in hand are finished first")
        ledger.drain()
        await server.stop(grace: .seconds(10))
        running.cancel()
        await running.value
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
