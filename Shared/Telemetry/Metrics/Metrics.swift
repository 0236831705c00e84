internal import Synchronization
internal import Threads

/// The metrics of a process, and their text for Prometheus.
///
/// Asking twice for a metric of one name gives the same one, so services in one process share what they name alike.
public final class Metrics: Sendable {
    private enum Entry: Sendable {
        case counter(Family<Counter>)
        case gauge(Family<Gauge>)
        case histogram(Family<Histogram>)
        case sampled(help: String, counter: Bool, read: @Sendable () -> Double?)
        case sampledEach(help: String, counter: Bool, label: String, reads: [String: @Sendable () -> Double?])
    }

    private let entries = Lock<[String: Entry]>([:])
    private let seriesLimit: Int

    /// - Parameter seriesLimit: label combinations kept per metric.
    public init(seriesLimit: Int = 500) { self.seriesLimit = seriesLimit }

    /// The counter of that name; by custom it ends in `_total`.
    public func counter(_ name: String, help: String, labels: [String] = []) -> Family<Counter> {
        let fresh = Family(name: name, help: help, labels: labels, limit: seriesLimit) { Counter() }
        guard case .counter(let family) = entry(name, labels, .counter(fresh)) else { Self.clash(name) }
        Self.require(family.labels == labels, name)
        return family
    }

    /// The gauge of that name.
    public func gauge(_ name: String, help: String, labels: [String] = []) -> Family<Gauge> {
        let fresh = Family(name: name, help: help, labels: labels, limit: seriesLimit) { Gauge() }
        guard case .gauge(let family) = entry(name, labels, .gauge(fresh)) else { Self.clash(name) }
        Self.require(family.labels == labels, name)
        return family
    }

    /// The histogram of that name.
    /// - Parameter buckets: upper bounds, rising, at most `Histogram.maximumBuckets` − 1.
    public func histogram(_ name: String, help: String, labels: [String] = [], buckets: [Double] = Histogram.latency) -> Family<Histogram> {
        precondition(
            buckets.count < Histogram.maximumBuckets && zip(buckets, buckets.dropFirst()).allSatisfy { $0 < $1 },
            "\(name): buckets must rise and be fewer than \(Histogram.maximumBuckets)")
        let fresh = Family(name: name, help: help, labels: labels, limit: seriesLimit, parameters: buckets) { Histogram(bounds: buckets) }
        guard case .histogram(let family) = entry(name, labels, .histogram(fresh)) else { Self.clash(name) }
        Self.require(family.labels == labels && family.parameters == buckets, name)
        return family
    }

    /// A number that is read when somebody asks. A later one of the same name replaces the earlier.
    /// - Parameter isCounter: whether it only grows.
    public func sample(_ name: String, help: String, isCounter: Bool = false, _ read: @escaping @Sendable () -> Double?) {
        Self.check(name, [])
        entries.withLock { $0[name] = .sampled(help: help, counter: isCounter, read: read) }
    }

    /// A number of each of several things that a label tells apart, read when somebody asks. A later one of the same name and value
    /// replaces the earlier.
    /// - Parameter isCounter: whether it only grows.
    public func sample(
        _ name: String, help: String, isCounter: Bool = false, label: (name: String, value: String),
        _ read: @escaping @Sendable () -> Double?
    ) {
        Self.check(name, [label.name])
        entries.withLock { entries in
            var all = [label.value: read]
            if case .sampledEach(_, _, label.name, let known)? = entries[name] { all.merge(known) { new, _ in new } }
            entries[name] = .sampledEach(help: help, counter: isCounter, label: label.name, reads: all)
        }
    }

    /// Everything as Prometheus text exposition format 0.0.4, in the order of names.
    public func render() -> String {
        var text = ExpositionText()
        for (name, entry) in entries.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            switch entry {
            case .counter(let family):
                text.header(name, family.help, "counter")
                for (values, series) in family.all { text.sample(name, family.labels, values, String(series.value)) }
            case .gauge(let family):
                text.header(name, family.help, "gauge")
                for (values, series) in family.all { text.sample(name, family.labels, values, ExpositionText.number(series.value)) }
            case .histogram(let family):
                text.header(name, family.help, "histogram")
                for (values, series) in family.all { text.histogram(name, family.labels, values, series) }
            case .sampled(let help, let isCounter, let read):
                guard let value = read() else { continue }
                text.header(name, help, isCounter ? "counter" : "gauge")
                text.sample(name, [], [], ExpositionText.number(value))
            case .sampledEach(let help, let isCounter, let label, let reads):
                let values = reads.sorted { $0.key < $1.key }.compactMap { key, read in read().map { (key, $0) } }
                if values.isEmpty { continue }
                text.header(name, help, isCounter ? "counter" : "gauge")
                for (key, value) in values { text.sample(name, [label], [key], ExpositionText.number(value)) }
            }
        }
        return text.text
    }

    private func entry(_ name: String, _ labels: [String], _ fresh: Entry) -> Entry {
        Self.check(name, labels)
        return entries.withLock { entries in
            if let found = entries[name] { return found }
            entries[name] = fresh
            return fresh
        }
    }

    // Names and kinds are written in the source: a clash is a programmer's error and shows at the first start.
    private static func clash(_ name: String) -> Never { preconditionFailure("metric \(name) is already of another kind") }
    private static func require(_ same: Bool, _ name: String) { precondition(same, "metric \(name) already has other labels or buckets") }
    private static func check(_ name: String, _ labels: [String]) {
        precondition(ExpositionText.isName(name, colon: true), "\(name) is no metric name")
        for label in labels {
            precondition(ExpositionText.isName(label, colon: false) && label != "le", "\(label) is no label name for \(name)")
        }
    }
}
