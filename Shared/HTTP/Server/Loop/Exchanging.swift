internal import HTTP

extension Loop {
    /// A head is whole: starts its handler. `index` moves behind the part of the body that is already here.
    func begin(_ connection: Connection, _ head: Head, _ bytes: borrowing Span<UInt8>, _ index: inout Int) throws(HTTPError) {
        connection.exchanges &+= 1
        let key = Key(slot: UInt32(connection.slot), generation: connection.generation, exchange: connection.exchanges)
        let (peer, address) =
            connection.isProxy
            ? options.trustedProxies.client(of: connection.remote, head.headers) : (connection.holder, connection.remote?.address)
        let exchange = Exchange(
            key: key, head: head, peer: peer, keepAlive: head.keepAlive && !isDraining, limits: options.limits, now: now)
        // Set at once, so that a refusal is logged with what was asked for.
        connection.exchange = exchange
        connection.deadline = .max
        if running >= common.maxHandlers { throw HTTPError(503, "too many requests at once") }
        if queuedOutput >= common.maxQueuedOutput { throw HTTPError(503, "too many replies wait for their clients to read them") }
        guard common.requestsByPeer.take(address) else { throw HTTPError(429, "too many requests at once from this address") }
        let request = Request(
            method: head.method, target: head.target, headers: head.headers,
            body: body(connection, exchange, head, bytes, &index), peer: peer)
        running += 1
        meters.requests.add()
        meters.openHandlers.add()
        let task = HandlerTask()
        exchange.task = task
        let isSmall = exchange.inputDone && exchange.bytesReceived <= Self.smallBody
        launches.append(Launch(request: request, key: key, address: address, task: task, isSmall: isSmall))
        if launches.count >= Self.launchedTogether { launch() }
    }

    private func body(
        _ connection: Connection, _ exchange: Exchange, _ head: Head, _ bytes: borrowing Span<UInt8>, _ index: inout Int
    ) -> RequestBody {
        switch head.framing {
        case .none:
            exchange.inputDone = true
            return RequestBody([])
        case .length(let length) where length <= bytes.count - index:
            exchange.inputDone = true
            exchange.bytesReceived = length
            let all = bytes.array(index..<index + length)
            index += length
            return RequestBody(all)
        default:
            // A client that has begun to send does not wait for the 100.
            exchange.owesContinue = head.expectsContinue && index == bytes.count
            let stream = BodyStream(mailbox: mailbox, key: exchange.key, needsContinue: exchange.owesContinue)
            exchange.stream = stream
            connection.markInput(now)
            return RequestBody(source: stream)
        }
    }

    /// On the pool. Posts exactly one last piece of mail, whatever happens.
    static func answer(_ launch: Launch, _ common: Common, _ mailbox: Mailbox, _ replies: LaunchReplies) async {
        let (request, key, address) = (launch.request, launch.key, launch.address)
        // Given back before the client can see the last of its reply, or its next request might be one too many.
        func ended() {
            common.requestsByPeer.giveBack(address)
            common.meters.openHandlers.add(-1)
        }
        var failure: String?
        let response: Response
        do {
            response = try await common.handler(request)
        } catch let error as HTTPError {
            response = Problem.reply(error.status, error.reason)
        } catch {
            failure = "handler: \(error)"
            response = Problem.reply(500, "")
        }
        guard case .stream(let produce) = response.body else {
            ended()
            return replies.post(key, .response(response, nil, failure: failure))
        }
        let stream = ReplyStream(mailbox: mailbox, key: key)
        // What is streamed must not overtake its head.
        replies.send(isLast: false)
        mailbox.post(key, .response(response, stream, failure: nil))
        do {
            if request.method != "HEAD", ReplyHead.hasBody(response.status) { try await produce(BodyWriter(sink: stream)) }
            ended()
            mailbox.post(key, .end)
        } catch {
            ended()
            mailbox.post(key, .fail("stream: \(error)"))
        }
    }

    /// Acts on mail. What belongs to an exchange that is over only ends the count of its handler.
    func deliver(_ mail: Mail) {
        switch mail.kind {
        case .drain(let grace): return drain(grace)
        case .step(let job):
            hasStepped = true
            return executor.run(job)
        case .response(_, nil, _), .end, .fail: running -= 1
        default: break
        }
        guard let connection = connection(mail.key.slot, mail.key.generation), let exchange = connection.exchange,
            exchange.key == mail.key
        else {
            if case .response(_, let stream?, _) = mail.kind { stream.close() }
            return
        }
        switch mail.kind {
        case .response(let response, let stream, let failure):
            exchange.failure = failure
            respond(connection, exchange, response, stream)
        case .chunk(let bytes):
            if exchange.isChunked { connection.out.appendChunk(bytes) } else { connection.out.append(bytes) }
            exchange.taken += bytes.count
            exchange.bytesSent += bytes.count
            queued(connection)
        case .end:
            if exchange.isChunked { connection.out.append(Array("0\r\n\r\n".utf8)) }
            exchange.responseDone = true
            finish(connection)
        case .fail(let failure):
            // No last chunk, and a reset: the client sees that the reply is cut short.
            shut(connection, reason: failure, reset: true)
        case .readMore:
            exchange.isPaused = false
            connection.markInput(now)
            pump(connection)
        case .sendContinue:
            guard exchange.owesContinue, !exchange.headSent else { return }
            exchange.owesContinue = false
            connection.markInput(now)
            connection.out.append(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
            queued(connection)
        case .drain, .step: break
        }
    }

    /// Ends the exchange, once its reply is complete.
    func finish(_ connection: Connection) {
        guard let exchange = connection.exchange, exchange.responseDone else { return }
        touch(connection)
        connection.exchange = nil
        options.onExchange?(exchange.record(now: now, reason: nil))
        if !exchange.inputDone || exchange.mustClose || isDraining {
            exchange.stream?.end(Disconnected())
            connection.closeAfterFlush = true
            return
        }
        connection.deadline = now + options.idleTimeout.nanoseconds
        if !connection.pending.isEmpty || connection.isReadable { again(connection) }
    }
}
