internal import Synchronization

/// The counters that the loops and the pool add to.
final class Meters: Sendable {
    let openConnections = Atomic<Int>(0)
    let openHandlers = Atomic<Int>(0)
    let connections = Atomic<Int>(0)
    let connectionsRefused = Atomic<Int>(0)
    let requests = Atomic<Int>(0)
    let requestsRefused = Atomic<Int>(0)
    let replies2 = Atomic<Int>(0)
    let replies3 = Atomic<Int>(0)
    let replies4 = Atomic<Int>(0)
    let replies5 = Atomic<Int>(0)
    let clientsGone = Atomic<Int>(0)
    let handlersTooSlow = Atomic<Int>(0)
    let repliesUnread = Atomic<Int>(0)
    let bytesReceived = Atomic<Int>(0)
    let bytesSent = Atomic<Int>(0)

    func count(status: Int) {
        switch status {
        case ..<300: replies2.add()
        case ..<400: replies3.add()
        case ..<500: replies4.add()
        default: replies5.add()
        }
    }

    var snapshot: Counters {
        var counters = Counters()
        counters.openConnections = openConnections.value
        counters.openHandlers = openHandlers.value
        counters.connections = connections.value
        counters.connectionsRefused = connectionsRefused.value
        counters.requests = requests.value
        counters.requestsRefused = requestsRefused.value
        counters.replies = [0, 0, replies2.value, replies3.value, replies4.value, replies5.value]
        counters.clientsGone = clientsGone.value
        counters.handlersTooSlow = handlersTooSlow.value
        counters.repliesUnread = repliesUnread.value
        counters.bytesReceived = bytesReceived.value
        counters.bytesSent = bytesSent.value
        return counters
    }
}

extension Atomic<Int> {
    /// Relaxed: a figure orders nothing.
    @inline(__always) func add(_ amount: Int = 1) { wrappingAdd(amount, ordering: .relaxed) }

    var value: Int { load(ordering: .relaxed) }
}
