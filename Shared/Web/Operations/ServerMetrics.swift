internal import HTTPServer
public import Telemetry

extension RunningApplication {
    /// Adds what the servers count of connections, hang-ups and refusals to the metrics. Read when asked.
    public func addMetrics(to metrics: Metrics) {
        func add(_ name: String, _ help: String, isCounter: Bool = true, _ value: @escaping @Sendable (Counters) -> Int) {
            let servers = servers
            metrics.sample("openledger_http_\(name)", help: help, isCounter: isCounter) {
                Double(servers.reduce(0) { $0 + value($1.counters) })
            }
        }
        add("open_connections", "Connections that are open.", isCounter: false) { $0.openConnections }
        add("open_handlers", "Handlers that run.", isCounter: false) { $0.openHandlers }
        add("connections_total", "Connections accepted.") { $0.connections }
        add("connections_refused_total", "Connections closed at once since their peer held too many.") { $0.connectionsRefused }
        add("malformed_requests_total", "Requests refused before routing: malformed, too long, too slow, too many.") { $0.requestsRefused }
        add("clients_gone_total", "Handlers cancelled since the client had gone.") { $0.clientsGone }
        add("handlers_too_slow_total", "Handlers cancelled by the server's own deadline.") { $0.handlersTooSlow }
        add("replies_unread_total", "Connections reset since the client did not read.") { $0.repliesUnread }
        add("received_bytes_total", "Bytes received, heads included.") { $0.bytesReceived }
        add("sent_bytes_total", "Bytes sent, heads included.") { $0.bytesSent }
    }
}
