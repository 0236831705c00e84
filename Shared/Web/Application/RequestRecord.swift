internal import HTTP
internal import Identity
internal import Synchronization
internal import Telemetry
internal import Threads

/// Counts and logs every answer, by the route's pattern: paths are not bounded, patterns are.
final class RequestRecord: Sendable {
    /// The counters of one route that are in use, so that the metric's own table is not searched for each request.
    private final class Statuses: Sendable {
        let known = Lock<[Int: Counter]>([:])
    }

    private let seconds: [Histogram]
    private let counters: [Statuses]
    private let requests: Family<Counter>
    private let patterns: [String]
    private let log: Logger

    init(patterns: [String], metrics: Metrics, log: Logger) {
        // The last one stands for requests that found no route.
        let all = patterns + ["none"]
        let family = metrics.histogram(
            "openledger_http_request_seconds", help: "Time from a request's head to its answer's head.", labels: ["route"])
        requests = metrics.counter(
            "openledger_http_requests_total", help: "Requests answered, by route pattern and status; 499 is a client that went.",
            labels: ["route", "status"])
        seconds = all.map { family.with($0) }
        counters = all.map { _ in Statuses() }
        self.patterns = all
        self.log = log
    }

    /// Notes an answer. That of a stream is logged when the stream has ended.
    func finished(_ exchange: Exchange, _ response: Response) -> Response {
        count(exchange, response.status)
        switch response.body {
        case .bytes(let bytes):
            line(exchange, response.status, bytes: bytes.count)
            return response
        case .stream(let write):
            var response = response
            let status = response.status
            response.body = .stream { [self] writer in
                defer { line(exchange, status, bytes: nil) }
                try await write(writer)
            }
            return response
        }
    }

    /// Notes a request whose client went before there was an answer.
    func abandoned(_ exchange: Exchange) {
        count(exchange, 499)
        line(exchange, 499, bytes: 0)
    }

    private func count(_ exchange: Exchange, _ status: Int) {
        let index = exchange.route ?? patterns.count - 1
        seconds[index].observe((ContinuousClock.now - exchange.start).inSeconds)
        counters[index].known.withLock { counters in
            if let counter = counters[status] { return counter }
            let counter = requests.with(patterns[index], String(status))
            counters[status] = counter
            return counter
        }.add()
    }

    private func line(_ exchange: Exchange, _ status: Int, bytes: Int?) {
        let level: LogLevel = status >= 500 ? .error : .info
        guard log.level <= level else { return }
        let elapsed = (ContinuousClock.now - exchange.start).inSeconds
        exchange.logger(log).log(
            level, "request",
            [
                "method": .string(exchange.method), "path": .string(String(exchange.path)),
                "route": .string(patterns[exchange.route ?? patterns.count - 1]), "status": .init(status),
                "milliseconds": .double((elapsed * 1e6).rounded() / 1e3), "bytes": bytes.map { .init($0) } ?? "stream",
                "principal": .string(exchange.caller?.subject ?? "-"), "peer": .string(exchange.peer?.address ?? "-"),
            ])
    }
}
