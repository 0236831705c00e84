internal import Synchronization
internal import Threads

/// All series of one metric: one per combination of label values.
///
/// The number of combinations is bounded. Beyond the bound all further ones share one series whose labels say `other`, so that
/// a label taken from outside by mistake cannot fill the memory.
public final class Family<Series: Sendable>: Sendable {
    /// The metric's name.
    public let name: String
    let help: String
    let labels: [String]
    let parameters: [Double]
    private let limit: Int
    private let make: @Sendable () -> Series
    private let series = Lock<[[String]: Series]>([:])

    init(name: String, help: String, labels: [String], limit: Int, parameters: [Double] = [], make: @escaping @Sendable () -> Series) {
        self.name = name
        self.help = help
        self.labels = labels
        self.limit = limit
        self.parameters = parameters
        self.make = make
        if labels.isEmpty { _ = with() }
    }

    /// The series of these label values, in the order of the family's labels. Hold on to it on a hot path: finding it costs
    /// a lock and a dictionary.
    public func with(_ values: String...) -> Series { with(values) }

    /// The series of these label values.
    public func with(_ values: [String]) -> Series {
        precondition(values.count == labels.count, "\(name) has labels \(labels), not \(values.count) of them")
        return series.withLock { series in
            if let found = series[values] { return found }
            let key = series.count < limit ? values : labels.map { _ in "other" }
            if let found = series[key] { return found }
            let new = make()
            series[key] = new
            return new
        }
    }

    /// Every series with its label values, in the order of the values.
    var all: [(values: [String], series: Series)] {
        series.withLock { series in series.map { ($0.key, $0.value) } }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
    }
}
