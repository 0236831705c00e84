internal import EventLog
internal import Events
internal import Postgres
internal import Telemetry

/// Taking events in and applying them.
extension ProjectionRunner {
    /// Applies what the carrier brings, until trouble.
    /// - Throws: ``Stop``, ``Failure``, or what the database reported.
    func follow(_ connection: PostgresConnection, from start: UInt64) async throws {
        var next = start
        var pause = Pause(options)
        var isLive = false
        enter(.catchingUp)
        while true {
            try Task.checkCancellation()
            let events: [LoggedEvent]
            do {
                let delivery = try await carrier.deliver(from: next, limit: options.batch, wait: isLive ? options.wait : .zero)
                board.heard(size: delivery.size)
                if !isLive, next >= delivery.size { isLive = true }
                events = try await inOrder(delivery.events, from: next)
            } catch {
                try Task.checkCancellation()
                // The log's trouble, not the database's: the connection and the turn are kept.
                instruments.retries.add()
                enter(.retrying(reason: "\(error)"))
                try await Task.sleep(for: pause.next())
                continue
            }
            pause = Pause(options)
            enter(isLive ? .live : .catchingUp)
            if !events.isEmpty { next = try await apply(events, on: connection) }
            if isLive { await gather(after: events.count) }
        }
    }

    /// Where much comes at a time and nobody waits for the rows, more is let come: a transaction of many events costs little more than one of
    /// few, and who writes to the log needs the machine.
    private func gather(after count: Int) async {
        guard count >= options.many, count < options.batch, !board.hasWaiters else { return }
        board.bell.silence()
        guard !board.hasWaiters else { return }
        _ = await board.bell.pause(options.gathering)
    }

    /// Drops what was seen and fetches what is missing.
    private func inOrder(_ delivered: [LoggedEvent], from next: UInt64) async throws -> [LoggedEvent] {
        var ordered = OrderedRun(delivered, from: next)
        instruments.repeats.add(UInt64(ordered.repeats))
        while ordered.run.count < options.batch, let hole = ordered.hole(after: next) {
            let limit = min(hole.count, options.batch - ordered.run.count)
            let missing = try await client.read(from: hole.start, limit: limit, wait: nil)
            let found = OrderedRun(missing.events, from: hole.start).run
            guard !found.isEmpty else {
                // The carrier is ahead of the ledger that we ask. What there is can be applied.
                guard ordered.run.isEmpty else { return ordered.run }
                throw LogError.unavailable("position \(hole.start) is not there yet, but \(ordered.ahead[0].position) was delivered")
            }
            instruments.fetched.add(UInt64(found.count))
            ordered = OrderedRun(ordered.run + found + ordered.ahead, from: next)
        }
        return ordered.run
    }

    /// Applies events that follow one another; fewer at a time when they are refused, so that all before the first bad one are applied.
    /// - Returns: the position after the last.
    private func apply(_ events: [LoggedEvent], on connection: PostgresConnection) async throws -> UInt64 {
        var left = events[...]
        var size = left.count
        var collisions = 0
        var pause = Pause(options)
        var next = events[0].position
        var isCompared = false
        while !left.isEmpty {
            let part = Array(left.prefix(size))
            do {
                let applier = self.applier
                try await instruments.seconds.time { () async throws in
                    try await connection.withSession { session in try applier.commit(part, in: session) }
                }
                left = left.dropFirst(part.count)
                next += UInt64(part.count)
                instruments.applied.add(UInt64(part.count))
                reached(next)
                (size, collisions, isCompared) = (size * 2, 0, false)
            } catch {
                switch Failure(error) {
                case .collision(let reason):
                    collisions += 1
                    guard collisions < options.attempts else {
                        throw Stop(position: next, reason: "\(reason), \(collisions) times")
                    }
                    instruments.retries.add()
                    try await Task.sleep(for: pause.next())
                case .refused where part.count > 1: size = part.count / 2
                case .refused(let reason):
                    // Before a stop for an event, be sure that it is the event: a carrier can bring bytes that are not the log's.
                    guard !isCompared, let genuine = try await differing(from: part[0]) else {
                        throw Stop(position: next, reason: reason)
                    }
                    isCompared = true
                    left[left.startIndex] = genuine
                case let other: throw other
                }
            }
        }
        return next
    }

    /// The event as the ledger has it, when that is not what was delivered.
    private func differing(from event: LoggedEvent) async throws -> LoggedEvent? {
        do {
            guard let genuine = try await client.read(from: event.position, limit: 1, wait: nil).events.first, genuine != event,
                genuine.position == event.position
            else { return nil }
            logger.error("the carrier brought another event than the ledger has", ["position": .integer(Int64(event.position))])
            return genuine
        } catch {
            try Task.checkCancellation()
            throw Failure.away(reason: "the ledger could not be asked for position \(event.position): \(error)")
        }
    }
}
