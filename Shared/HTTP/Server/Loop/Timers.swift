internal import Glibc
internal import HTTP

extension Loop {
    /// Looks at every connection, ten times a second: ten thousand of them cost less than a timer each would.
    func checkDeadlines() {
        if acceptAgain > 0, now >= acceptAgain { resumeAccepting() }
        let isOver = isDraining && now >= graceEnds
        for case let connection? in slots {
            if isOver {
                shut(connection, reason: "the server has stopped")
            } else if now >= connection.deadline {
                headOrIdleEnded(connection)
            } else if !isHiding(connection), !isBodyTooSlow(connection), !isReplyUnread(connection) {
                checkHandler(connection)
            }
        }
    }

    private func headOrIdleEnded(_ connection: Connection) {
        let isWithinHead = connection.exchange == nil && connection.parser.hasStarted
        if isWithinHead, !connection.isLingering, !connection.closeAfterFlush {
            refuse(connection, HTTPError(408, "head too slow"))
        } else {
            shut(connection, reason: nil)
        }
    }

    /// A FIN behind unread bytes is never seen, and a full window keeps it from coming at all: so what a client sends behind
    /// a running handler is read, and too much of it is abuse.
    private func isHiding(_ connection: Connection) -> Bool {
        guard connection.isReadable, let exchange = connection.exchange, exchange.inputDone else { return false }
        readAhead(connection)
        if connection.isClosed { return true }
        guard connection.pending.count > options.maxPipelined else { return false }
        shut(connection, reason: "too much pipelined", reset: true)
        return true
    }

    private func isBodyTooSlow(_ connection: Connection) -> Bool {
        guard let exchange = connection.exchange, !exchange.inputDone, !exchange.isPaused, !exchange.owesContinue,
            now - connection.readSince >= options.rateWindow.nanoseconds
        else { return false }
        if connection.received - connection.readMark < options.minimumBytes {
            refuse(connection, HTTPError(408, "body too slow"))
            return true
        }
        connection.markInput(now)
        return false
    }

    private func isReplyUnread(_ connection: Connection) -> Bool {
        guard connection.writeSince != 0, now - connection.writeSince >= options.rateWindow.nanoseconds else { return false }
        if connection.sent - connection.writeMark < options.minimumBytes {
            meters.repliesUnread.add()
            shut(connection, reason: "the client does not read its reply", reset: true)
            return true
        }
        connection.writeSince = now
        connection.writeMark = connection.sent
        return false
    }

    private func checkHandler(_ connection: Connection) {
        guard let limit = options.handlerTimeout?.nanoseconds, let exchange = connection.exchange, exchange.waitsForHandler,
            now - exchange.handlerSince >= limit
        else { return }
        if !exchange.hasAskedForPatience {
            exchange.hasAskedForPatience = true
            exchange.patience = options.handlerPatience?(exchange.method, exchange.target)?.nanoseconds ?? 0
        }
        guard now - exchange.handlerSince >= exchange.patience else { return }
        meters.handlersTooSlow.add()
        giveUp(connection, HTTPError(503, "no answer in time"))
    }

    /// The date field's value, made once a second.
    func date() -> [UInt8] {
        if now >= dateEnds {
            var time = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            dateText = Array(HTTPDate.text(time.tv_sec).utf8)
            dateEnds = now + 1_000_000_000 - UInt64(time.tv_nsec)
        }
        return dateText
    }
}
