internal import Glibc
internal import HTTP

extension Loop {
    /// The client is no longer there.
    func clientGone(_ connection: Connection) {
        if connection.exchange != nil { meters.clientsGone.add() }
        shut(connection, reason: "the client has gone")
    }

    /// Gives the exchange up: whatever of it still runs is cancelled and finds nobody at the other end.
    func drop(_ connection: Connection, reason: String?) {
        guard let exchange = connection.exchange else { return }
        connection.exchange = nil
        exchange.task?.cancel()
        exchange.stream?.end(Disconnected())
        exchange.writer?.close()
        options.onExchange?(exchange.record(now: now, reason: reason))
    }

    /// Closes the connection.
    /// - Parameter reset: whether the client is to see a reset, and the kernel to forget what it holds for it.
    func shut(_ connection: Connection, reason: String?, reset: Bool = false) {
        if connection.isClosed { return }
        connection.isClosed = true
        countOutput(connection)
        if reset { Sockets.resetOnClose(connection.descriptor) }
        drop(connection, reason: reason)
        close(connection.descriptor)
        if connection.isCounted { common.connectionsByPeer.giveBack(connection.remote?.address) }
        slots[connection.slot] = nil
        freeSlots.append(connection.slot)
        open -= 1
        meters.openConnections.add(-1)
        if !isAccepting, acceptAgain == 0, open < common.maxConnections { resumeAccepting() }
    }

    /// Stops: no new connections, and what is in hand has until the grace ends.
    func drain(_ grace: UInt64) {
        if isDraining {
            graceEnds = min(graceEnds, now + grace)
            return
        }
        isDraining = true
        graceEnds = now + grace
        giveUp = graceEnds + 2_000_000_000
        // This also takes it out of the poller.
        if let listener { close(listener) }
        listener = nil
        isAccepting = false
        acceptAgain = 0
        // Idle clients get a moment for a request already on its way; it is answered with "Connection: close".
        let moment = now + options.drainIdle.nanoseconds
        for case let connection? in slots where connection.exchange == nil && !connection.isLingering {
            connection.deadline = min(connection.deadline, moment)
        }
    }
}
