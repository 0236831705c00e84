internal import CCurl
internal import Glibc

/// The thread that owns libcurl's multi handle and every exchange on it. Nothing here is touched by another thread.
final class CurlLoop {
    private let mailbox: CurlMailbox
    private let poller: FileDescriptor
    private let options: CurlOptions
    private let multi: UnsafeMutableRawPointer
    private var live: [ObjectIdentifier: CurlExchange] = [:]
    private var idleHandles: [UnsafeMutableRawPointer] = []
    private var touched: [CurlExchange] = []
    /// When libcurl wants to be called although nothing has happened.
    private var curlDeadline: Int64?
    /// When some exchange's own limits must be looked at; it may be early, never late.
    private var nextCheck: Int64?
    private var isStopping = false

    private static let keptHandles = 64

    init?(mailbox: CurlMailbox, poller: FileDescriptor, options: CurlOptions) {
        guard let multi = curl_multi_init() else { return nil }
        self.mailbox = mailbox
        self.poller = poller
        self.options = options
        self.multi = multi
    }

    func run() {
        configure()
        let capacity = 128
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        defer { events.deallocate() }
        watch(mailbox.wakeUp.number, EPOLLIN.rawValue, EPOLL_CTL_ADD)
        while true {
            takeCommands()
            if isStopping { break }
            runTimers()
            settle()
            let count = epoll_wait(poller.number, events, Int32(capacity), patience())
            for index in 0..<max(0, Int(count)) { handle(events[index]) }
            settle()
        }
        tearDown()
    }

    private func configure() {
        let me = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_socket_callback(
            multi,
            { handle, socket, what, context, known in
                guard let context else { return 0 }
                if what & CURL_POLL_IN == 0, let handle { CurlExchange.of(handle)?.stopsReading() }
                Unmanaged<CurlLoop>.fromOpaque(context).takeUnretainedValue().watch(socket, what, isKnown: known != nil)
                return 0
            }, me)
        ccurl_multi_set_timer_callback(
            multi,
            { _, milliseconds, context in
                guard let context else { return 0 }
                let loop = Unmanaged<CurlLoop>.fromOpaque(context).takeUnretainedValue()
                loop.curlDeadline = milliseconds < 0 ? nil : MonotonicClock.milliseconds() + Int64(milliseconds)
                return 0
            }, me)
        ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, max(1, options.maximumConnectionsPerHost))
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(1, options.maximumIdleConnections))
    }

    private func tearDown() {
        for exchange in Array(live.values) {
            detach(exchange)
            exchange.transfer.finish(.failure(HTTPClientError.closed))
        }
        for handle in idleHandles { curl_easy_cleanup(handle) }
        curl_multi_cleanup(multi)
    }

    // MARK: sockets and timers

    private func watch(_ socket: Int32, _ what: Int32, isKnown: Bool) {
        if what == CURL_POLL_REMOVE {
            epoll_ctl(poller.number, EPOLL_CTL_DEL, socket, nil)
            return
        }
        let wanted =
            (what & CURL_POLL_IN != 0 ? EPOLLIN.rawValue : 0) | (what & CURL_POLL_OUT != 0 ? EPOLLOUT.rawValue : 0)
        let first = isKnown ? EPOLL_CTL_MOD : EPOLL_CTL_ADD
        if watch(socket, wanted, first) != 0 {
            // The number was closed and given out again behind our back, or is still here from before.
            if errno == EEXIST { watch(socket, wanted, EPOLL_CTL_MOD) }
            if errno == ENOENT { watch(socket, wanted, EPOLL_CTL_ADD) }
        }
        // Any pointer but nil marks the socket as known.
        curl_multi_assign(multi, socket, multi)
    }

    @discardableResult
    private func watch(_ descriptor: Int32, _ events: UInt32, _ operation: Int32) -> Int32 {
        var event = epoll_event()
        event.events = events
        event.data.fd = descriptor
        return epoll_ctl(poller.number, operation, descriptor, &event)
    }

    private func handle(_ event: epoll_event) {
        if event.data.fd == mailbox.wakeUp.number { return mailbox.wakeUp.clearSignal() }
        var mask: Int32 = 0
        if event.events & EPOLLIN.rawValue != 0 { mask |= CURL_CSELECT_IN }
        if event.events & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
        if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { mask |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        curl_multi_socket_action(multi, event.data.fd, mask, &running)
    }

    private func runTimers() {
        let now = MonotonicClock.milliseconds()
        if let due = curlDeadline, due <= now {
            curlDeadline = nil
            var running: Int32 = 0
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
        }
        guard let due = nextCheck, due <= now else { return }
        nextCheck = nil
        for exchange in Array(live.values) {
            if let error = exchange.checkLimits(now: now) {
                end(exchange, with: .failure(error))
            } else {
                schedule(exchange.nextCheck)
            }
        }
    }

    private func schedule(_ time: Int64?) {
        guard let time else { return }
        nextCheck = min(nextCheck ?? time, time)
    }

    /// How long epoll may wait, in milliseconds; −1 for ever.
    private func patience() -> Int32 {
        let deadline = min(curlDeadline ?? .max, nextCheck ?? .max)
        guard deadline < .max else { return -1 }
        return Int32(min(60_000, max(0, deadline - MonotonicClock.milliseconds())))
    }

    // MARK: exchanges

    private func takeCommands() {
        for command in mailbox.take() {
            switch command {
            case .start(let transfer):
                if isStopping { transfer.finish(.failure(HTTPClientError.closed)) } else { start(transfer) }
            case .drop(let transfer):
                if let exchange = live[ObjectIdentifier(transfer)] { detach(exchange) }
            case .resume(let transfer):
                if let exchange = live[ObjectIdentifier(transfer)], let error = exchange.resume() {
                    end(exchange, with: .failure(error))
                }
            case .stop:
                isStopping = true
            }
        }
    }

    private func start(_ transfer: CurlTransfer) {
        // An abort can overtake its start: its own command then finds nothing to drop.
        if transfer.hasEnded { return }
        guard let handle = idleHandles.popLast() ?? curl_easy_init() else {
            transfer.finish(.failure(HTTPClientError.transport(code: 27, text: "out of memory", sent: false)))
            return
        }
        let exchange = CurlExchange(transfer, handle: handle) { [unowned self] in touched.append($0) }
        live[ObjectIdentifier(transfer)] = exchange
        if let error = exchange.prepare(options) { return end(exchange, with: .failure(error)) }
        let code = curl_multi_add_handle(multi, handle)
        if code != CURLM_OK {
            let text = String(cString: curl_multi_strerror(code))
            return end(exchange, with: .failure(.transport(code: code.rawValue, text: text, sent: false)))
        }
        schedule(exchange.nextCheck)
    }

    /// Ends what libcurl has finished, and hands on what it has read.
    private func settle() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            let code = ccurl_result(message)
            guard let exchange = CurlExchange.of(handle) else { continue }
            end(exchange, with: exchange.outcome(code))
        }
        for exchange in touched {
            exchange.isTouched = false
            exchange.transfer.deliver()
            if exchange.isAnswered, live[ObjectIdentifier(exchange.transfer)] === exchange { end(exchange, with: .success(())) }
        }
        touched.removeAll(keepingCapacity: true)
    }

    private func end(_ exchange: CurlExchange, with outcome: Result<Void, HTTPClientError>) {
        detach(exchange)
        exchange.transfer.finish(outcome.mapError { $0 })
    }

    private func detach(_ exchange: CurlExchange) {
        live[ObjectIdentifier(exchange.transfer)] = nil
        curl_multi_remove_handle(multi, exchange.handle)
        exchange.release()
        if idleHandles.count < Self.keptHandles {
            curl_easy_reset(exchange.handle)
            idleHandles.append(exchange.handle)
        } else {
            curl_easy_cleanup(exchange.handle)
        }
    }
}

/// Time that no clock setting moves.
enum MonotonicClock {
    static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

extension Duration {
    /// Rounded up, so that no wait is shorter than asked; at most some 31 years.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        if seconds >= 1_000_000_000 { return 1_000_000_000_000 }
        return max(0, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
