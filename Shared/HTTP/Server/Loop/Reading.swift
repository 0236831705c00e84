internal import CEpoll
internal import Glibc
internal import HTTP

extension Loop {
    /// Reads of one connection in a row, before others have their turn.
    private static let readsPerTurn = 8
    /// Bytes thrown away behind a last reply.
    private static let lingerBytes = 1 << 20

    func socketEvent(_ connection: Connection, _ events: UInt32) {
        if events & EPOLLIN.rawValue != 0 { connection.isReadable = true }
        if events & EPOLLOUT.rawValue != 0 { connection.isWritable = true }
        if events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { return clientGone(connection) }
        if events & EPOLLRDHUP.rawValue != 0 {
            connection.peerClosed = true
            connection.isReadable = true
            if isPointless(connection) { return clientGone(connection) }
        }
        if connection.isWritable, !connection.out.isEmpty { flush(connection) }
        pump(connection)
    }

    /// The client has sent its FIN: is the request in hand pointless now? A client that half-closes counts as gone.
    private func isPointless(_ connection: Connection) -> Bool {
        guard let exchange = connection.exchange else { return false }
        if exchange.inputDone { return true }
        // The rest of a body of known length may lie in the kernel; then it is read on.
        guard let left = exchange.decoder.remaining else { return false }
        return connection.pending.count + Sockets.waiting(connection.descriptor) < left
    }

    /// Reads and parses as long as something is there and wanted.
    func pump(_ connection: Connection) {
        var turns = Self.readsPerTurn
        while !connection.isClosed, connection.wantsInput {
            if !connection.pending.isEmpty, !connection.isLingering {
                let bytes = connection.pending
                connection.pending = []
                let used = feed(connection, bytes.span)
                if connection.isClosed { return }
                if used < bytes.count { connection.pending = used == 0 ? bytes : Array(bytes[used...]) }
                if connection.peerClosed, isPointless(connection) { return clientGone(connection) }
                if !connection.wantsInput { return }
            }
            guard connection.isReadable else { return }
            if turns == 0 { return again(connection) }
            turns -= 1
            if !readOnce(connection) { return }
        }
    }

    /// One `recv`. Whether to go on.
    private func readOnce(_ connection: Connection) -> Bool {
        // Taken out for the time being: feeding may reach every part of the loop.
        var buffer: [UInt8] = []
        swap(&buffer, &inbuf)
        defer { swap(&buffer, &inbuf) }
        let count = Sockets.read(connection.descriptor, &buffer)
        guard count > 0 else {
            if count == 0 {
                clientGone(connection)
            } else if errno == EAGAIN {
                connection.isReadable = false
            } else if errno == EINTR {
                return true
            } else {
                clientGone(connection)
            }
            return false
        }
        // Drained: the next bytes raise a new edge. A FIN that was told is not told again.
        if count < buffer.count { connection.isReadable = connection.peerClosed }
        connection.received += count
        meters.bytesReceived.add(count)
        if connection.isLingering {
            if connection.received > Self.lingerBytes { shut(connection, reason: nil) }
        } else if connection.pending.isEmpty {
            let used = feed(connection, buffer.span.extracting(0..<count))
            if connection.isClosed { return false }
            if used < count { connection.pending = Array(buffer[used..<count]) }
            if connection.peerClosed, isPointless(connection) {
                clientGone(connection)
                return false
            }
        } else {
            connection.pending.append(contentsOf: buffer[0..<count])
        }
        return true
    }

    /// Takes in what has come behind a running handler, until that is more than is allowed.
    func readAhead(_ connection: Connection) {
        while connection.isReadable, connection.pending.count <= options.maxPipelined {
            let count = Sockets.read(connection.descriptor, &inbuf)
            if count > 0 {
                connection.received += count
                meters.bytesReceived.add(count)
                connection.pending.append(contentsOf: inbuf[0..<count])
            } else if count < 0, errno == EAGAIN {
                connection.isReadable = false
            } else if count == 0 || errno != EINTR {
                return clientGone(connection)
            }
        }
    }

    /// Parses; gives how many of these bytes are done with. The rest must come again.
    private func feed(_ connection: Connection, _ bytes: borrowing Span<UInt8>) -> Int {
        var index = 0
        do throws(HTTPError) {
            while index < bytes.count, !connection.isClosed, !connection.closeAfterFlush {
                if let exchange = connection.exchange {
                    if exchange.inputDone || exchange.isPaused { return index }
                    if try !feedBody(connection, exchange, bytes, &index) { return index }
                    continue
                }
                if connection.out.count >= Connection.outHigh { return index }
                if !connection.parser.hasStarted { connection.deadline = now + options.headTimeout.nanoseconds }
                guard let (head, used) = try connection.parser.parse(bytes.extracting(index..<bytes.count)) else { return index }
                index += used
                connection.parser.reset()
                try begin(connection, head, bytes, &index)
            }
        } catch {
            refuse(connection, error)
        }
        return connection.closeAfterFlush ? bytes.count : index
    }

    /// Hands on what there is of a body. False when more bytes are needed.
    private func feedBody(
        _ connection: Connection, _ exchange: Exchange, _ bytes: borrowing Span<UInt8>, _ index: inout Int
    ) throws(HTTPError) -> Bool {
        switch try exchange.decoder.next(bytes, at: &index) {
        case .more: return false
        case .end: break
        case .data(let range):
            exchange.bytesReceived += range.count
            if let stream = exchange.stream, stream.push(bytes.array(range)) {
                exchange.isPaused = true
                exchange.handlerSince = now
            }
        }
        if exchange.decoder.isDone { inputEnded(connection, exchange) }
        return true
    }

    private func inputEnded(_ connection: Connection, _ exchange: Exchange) {
        exchange.inputDone = true
        exchange.handlerSince = now
        exchange.stream?.end()
        if exchange.responseDone {
            finish(connection)
        } else if connection.peerClosed, Sockets.waiting(connection.descriptor) == 0 {
            clientGone(connection)
        }
    }
}
