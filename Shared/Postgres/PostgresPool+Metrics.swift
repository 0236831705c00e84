public import Telemetry

extension PostgresPool {
    /// Shows the pool's figures among the process's metrics for as long as there is the pool. Read when asked.
    /// - Parameter pool: what the label `pool` calls it.
    public func addMetrics(to metrics: Metrics, pool: String) {
        func add(_ name: String, _ help: String, isCounter: Bool = false, _ value: @escaping @Sendable (PoolMetrics) -> Int) {
            metrics.sample("openledger_pool_\(name)", help: help, isCounter: isCounter, label: ("pool", pool)) { [weak self] in
                self.map { Double(value($0.metrics)) }
            }
        }
        add("connections", "Connections to PostgreSQL that are open or being made.") { $0.size }
        add("idle_connections", "Of these, how many lie ready.") { $0.idle }
        add("leased_connections", "Of these, how many are lent.") { $0.leased }
        add("waiting", "Callers that wait for a connection.") { $0.waiting }
        add("connects_total", "Connections made.", isCounter: true) { $0.created }
        add("failed_connects_total", "Attempts to connect that failed.", isCounter: true) { $0.failed }
        add("lost_connections_total", "Connections found dead.", isCounter: true) { $0.lost }
        add("timeouts_total", "Callers that waited in vain.", isCounter: true) { $0.timedOut }
    }
}
