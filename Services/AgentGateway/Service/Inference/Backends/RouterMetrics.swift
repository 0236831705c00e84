internal import AdapterRouter
internal import Telemetry

/// The router's figures for operators.
struct RouterMetrics: Sendable {
    let loads: Family<Histogram>
    let failures: Family<Counter>
    private let firstPiece: Family<Histogram>
    private let gauges: [(family: Family<Gauge>, value: @Sendable (BackendFigures) -> Double)]
    private let waiting: Gauge

    init(_ metrics: Metrics) {
        loads = metrics.histogram(
            "openledger_adapter_load_seconds", help: "What bringing an adapter in took.", labels: ["backend"])
        failures = metrics.counter(
            "openledger_backend_failures_total", help: "Requests that a backend failed.", labels: ["backend"])
        firstPiece = metrics.histogram(
            "openledger_first_piece_seconds",
            help: "Time from a request's arrival to the first piece of its answer, with an adapter that was ready (warm) or not (cold).",
            labels: ["start"])
        func gauge(
            _ name: String, _ help: String, _ value: @escaping @Sendable (BackendFigures) -> Double
        ) -> (family: Family<Gauge>, value: @Sendable (BackendFigures) -> Double) {
            (metrics.gauge(name, help: help, labels: ["backend"]), value)
        }
        gauges = [
            gauge("openledger_backend_open", "1 while a backend gets requests.") { $0.isOpen ? 1 : 0 },
            gauge("openledger_backend_running", "Requests that a backend works on.") { Double($0.running) },
            gauge("openledger_backend_adapters", "Adapters that are ready on a backend.") { Double($0.resident) },
            gauge("openledger_adapter_hits", "Requests that found their adapter ready, since the start.") { Double($0.hits) },
            gauge("openledger_adapter_misses", "Requests that waited for their adapter, since the start.") { Double($0.misses) },
            gauge("openledger_adapter_evictions", "Adapters that went for others, since the start.") { Double($0.evictions) },
        ]
        waiting = metrics.gauge("openledger_router_waiting", help: "Requests that wait for a place.").with([])
    }

    func set(_ backends: [BackendFigures], waiting count: Int) {
        for backend in backends {
            for (family, value) in gauges { family.with(backend.name).set(value(backend)) }
        }
        waiting.set(Double(count))
    }

    func answered(after time: Duration, isCold: Bool) { firstPiece.with(isCold ? "cold" : "warm").observe(time.inSeconds) }
}
