internal import Telemetry

/// Attribution's figures for operators.
struct AttributionFigures: Sendable {
    let waiting: Gauge
    let lateAnswers: Gauge
    let lateSnapshots: Gauge
    let attributed: Counter

    init(_ metrics: Metrics) {
        waiting = metrics.gauge("openledger_attribution_waiting", help: "Answers that wait for their attribution.").with()
        lateAnswers = metrics.gauge(
            "openledger_attribution_late_answers", help: "Answers that could not be attributed and are put off while others go on."
        ).with()
        lateSnapshots = metrics.gauge(
            "openledger_attribution_late_snapshots", help: "Snapshots that could not be indexed and are put off while others go on."
        ).with()
        attributed = metrics.counter("openledger_attributions_total", help: "Answers that this instance attributed.").with()
    }
}
