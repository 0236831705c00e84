internal import Telemetry

/// What a projection measures of itself, with the labels `schema` and `projection`.
struct ProjectionInstruments: Sendable {
    let applied: Counter
    let repeats: Counter
    let fetched: Counter
    let retries: Counter
    let seconds: Histogram
    private let next: Gauge
    private let lag: Gauge
    private let stopped: Gauge

    init(_ metrics: Metrics, _ projection: any Projection) {
        let labels = ["schema", "projection"]
        let values = [projection.schema, projection.name]
        applied = metrics.counter("openledger_projection_events_total", help: "Events applied.", labels: labels).with(values)
        repeats = metrics.counter(
            "openledger_projection_repeats_total", help: "Delivered events that had been applied before.", labels: labels
        ).with(values)
        fetched = metrics.counter(
            "openledger_projection_fetched_total", help: "Events fetched from the ledger because the carrier had left them out.",
            labels: labels
        ).with(values)
        retries = metrics.counter(
            "openledger_projection_retries_total", help: "Times the work was begun again after trouble that may pass.", labels: labels
        ).with(values)
        seconds = metrics.histogram(
            "openledger_projection_transaction_seconds", help: "Time of a transaction that applied events.", labels: labels
        ).with(values)
        next = metrics.gauge("openledger_projection_next", help: "The position of the next event to apply.", labels: labels).with(values)
        lag = metrics.gauge(
            "openledger_projection_lag_events", help: "Events on the log that are not applied, as far as known.", labels: labels
        ).with(values)
        stopped = metrics.gauge(
            "openledger_projection_stopped", help: "1 when the projection met an event it can't apply, or rows of another version.",
            labels: labels
        ).with(values)
    }

    func show(_ status: ProjectionStatus) {
        next.set(Double(status.next))
        lag.set(Double(status.lag))
        switch status.state {
        case .stopped, .wrongVersion: stopped.set(1)
        default: stopped.set(0)
        }
    }
}
