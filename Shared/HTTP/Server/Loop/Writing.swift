internal import CEpoll
internal import Glibc
internal import HTTP

extension Loop {
    private static let lingerTime: UInt64 = 1_000_000_000

    /// Queues the head of a reply, and its body when it is all there.
    func respond(_ connection: Connection, _ exchange: Exchange, _ response: Response, _ stream: ReplyStream?) {
        var status = response.status, body: [UInt8] = [], stream = stream
        let hasBody = ReplyHead.hasBody(status)
        var framing = ReplyHead.Framing.none
        switch response.body {
        case .bytes(let bytes):
            if hasBody {
                body = bytes
                framing = .length(bytes.count)
            }
        case .stream: if hasBody { framing = exchange.minorVersion == 1 ? .chunked : .untilClose }
        }
        // An unread body, one that was never asked for, or an old client: this is the last answer here. A streamed answer
        // that begins before the request has come in says so too, since nobody knows whether the rest will be read: a
        // close that was not announced would hit the client's next request (RFC 9112 §9.6).
        var close = !exchange.keepAlive || isDraining || exchange.owesContinue || !exchange.inputDone
        var head: [UInt8] = []
        head.reserveCapacity(256 + (body.count <= 8 << 10 ? body.count : 0))
        do throws(HTTPError) {
            try ReplyHead.write(
                status: status, headers: response.headers, framing: framing, close: close, date: date(), into: &head)
        } catch {
            exchange.failure = error.reason
            (status, body, close) = (error.status, [], true)
            head = errorReply(status, "")
            framing = .none
            stream?.close()
            stream = nil
        }
        if exchange.isHead { body = [] }
        exchange.bytesSent = body.count
        connection.out.append(head: head, body: body)
        if case .chunked = framing, !exchange.isHead { exchange.isChunked = true }
        exchange.status = status
        exchange.writer = stream
        exchange.mustClose = close
        exchange.responseDone = stream == nil
        meters.count(status: status)
        queued(connection)
        if stream == nil { finish(connection) }
    }

    /// A fault of the client's: told if nothing has been sent yet. The connection ends in any case, since nobody knows where
    /// the next request would begin.
    func refuse(_ connection: Connection, _ error: HTTPError) {
        meters.requestsRefused.add()
        giveUp(connection, error)
    }

    /// Answers with an error in the handler's stead, if it still can, and ends the connection.
    func giveUp(_ connection: Connection, _ error: HTTPError) {
        if let exchange = connection.exchange {
            if exchange.headSent { return shut(connection, reason: error.description, reset: true) }
            exchange.status = error.status
            drop(connection, reason: error.reason)
        } else if let log = options.onExchange {
            log(
                ExchangeRecord(
                    method: connection.parser.lineSeen?.method ?? "", target: "", status: error.status, bytesReceived: 0,
                    bytesSent: 0, duration: .zero, peer: connection.holder, reason: error.reason))
        }
        meters.count(status: error.status)
        connection.out.append(errorReply(error.status, error.reason))
        connection.closeAfterFlush = true
        connection.deadline = .max
        queued(connection)
    }

    /// A whole last reply.
    func errorReply(_ status: Int, _ detail: String) -> [UInt8] {
        let response = Problem.reply(status, detail)
        guard case .bytes(let body) = response.body else { return [] }
        var out: [UInt8] = []
        do throws(HTTPError) {
            try ReplyHead.write(
                status: status, headers: response.headers, framing: .length(body.count), close: true, date: date(), into: &out)
        } catch {
            return Array("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
        }
        return out + body
    }

    /// Something waits to be sent: its window begins, and it goes at the end of the round.
    func queued(_ connection: Connection) {
        countOutput(connection)
        if connection.writeSince == 0 {
            connection.writeSince = now
            connection.writeMark = connection.sent
        }
        touch(connection)
    }

    /// Brings the loop's total up to date with what waits on one connection.
    func countOutput(_ connection: Connection) {
        let count = connection.isClosed ? 0 : connection.out.count
        queuedOutput += count - connection.countedOutput
        connection.countedOutput = count
    }

    /// Sends what the kernel takes, and does what waited for that.
    func flush(_ connection: Connection) {
        if connection.isClosed { return }
        while !connection.out.isEmpty, connection.isWritable {
            let count = connection.out.send(connection.descriptor)
            if count >= 0 {
                connection.sent += count
                meters.bytesSent.add(count)
            } else if errno == EAGAIN {
                connection.isWritable = false
            } else if errno != EINTR {
                return clientGone(connection)
            }
        }
        countOutput(connection)
        if connection.out.isEmpty { connection.writeSince = 0 }
        if let exchange = connection.exchange {
            if connection.out.count <= ReplyStream.low, exchange.taken > 0 {
                exchange.writer?.release(exchange.taken)
                exchange.taken = 0
            }
        } else if connection.wantsInput, !connection.pending.isEmpty || connection.isReadable {
            again(connection)
        }
        if connection.out.isEmpty, connection.closeAfterFlush, !connection.isLingering { linger(connection) }
    }

    /// The last reply is out. A plain close with unread bytes would send a reset, which may destroy the reply on its way.
    private func linger(_ connection: Connection) {
        if connection.peerClosed { return shut(connection, reason: nil) }
        shutdown(connection.descriptor, Int32(SHUT_WR))
        connection.isLingering = true
        connection.pending = []
        connection.received = 0
        connection.deadline = now + Self.lingerTime
        connection.isReadable = true
        again(connection)
    }
}
