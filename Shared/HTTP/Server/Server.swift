internal import Glibc
public import HTTP
internal import Synchronization
internal import Threads

/// A strict HTTP/1.1 server. It serves from its making until `stop`.
public final class Server: Sendable {
    /// The port in use; 0 for a UNIX socket.
    public let port: Int

    private let mailboxes: [Mailbox]
    private let meters: Meters
    private let ends: Ends
    private let unixPath: String?

    /// Opens the address and starts to serve it.
    /// - Parameters:
    ///   - address: where to listen.
    ///   - options: bounds, deadlines and hooks.
    ///   - handler: answers the requests, on the cooperative pool.
    /// - Throws: `ServerError` when the address cannot be opened.
    public init(_ address: Address, options: Options = Options(), handler: @escaping Handler) throws(ServerError) {
        let count = max(1, options.threads)
        let meters = Meters()
        var isUnix = false
        if case .unix(let path, _, _) = address {
            unixPath = path
            isUnix = true
        } else {
            unixPath = nil
        }
        let common = Common(
            options: options, handler: handler, meters: meters,
            connectionsByPeer: PeerTable(most: options.maxConnectionsPerPeer),
            requestsByPeer: PeerTable(most: options.maxRequestsPerPeer), sharesListener: isUnix && count > 1,
            maxConnections: max(1, options.maxConnections / count), maxHandlers: max(1, options.maxHandlers / count),
            maxQueuedOutput: max(1, options.maxQueuedOutput / count))
        let (listeners, port) = try Self.listen(address, backlog: options.backlog, count: count)
        var loops: [(listener: Int32, poller: Poller, mailbox: Mailbox)] = []
        do throws(SystemError) {
            for listener in listeners {
                let poller = try Poller(), mailbox = try Mailbox()
                try Loop.prepare(poller, listener: listener, mailbox: mailbox, sharesListener: common.sharesListener)
                loops.append((listener, poller, mailbox))
            }
        } catch {
            for listener in listeners { close(listener) }
            throw ServerError(code: .system, description: "cannot serve \(address): \(error.call) failed with \(error.code)")
        }
        let ends = Ends(count)
        self.port = port
        self.meters = meters
        self.ends = ends
        mailboxes = loops.map(\.mailbox)
        for (listener, poller, mailbox) in loops {
            OSThread.start(name: "http") {
                Loop(listener: listener, poller: poller, mailbox: mailbox, common: common).run()
                ends.oneEnded()
            }
        }
    }

    /// What the server has done so far.
    public var counters: Counters { meters.snapshot }

    /// Stops: no new connections; requests in hand are finished, up to `grace`, and then their handlers are cancelled. Returns
    /// when all is closed. May be called again, with a shorter grace.
    public func stop(grace: Duration) async {
        // The path goes first, so that a successor can bind its own in the meantime.
        if let unixPath, ends.isFirstStop() { unsafe unlink(unixPath) }
        for mailbox in mailboxes {
            mailbox.post(Key(slot: 0, generation: 0, exchange: 0), .drain(grace.nanoseconds))
        }
        await ends.all()
    }

    /// One listening socket for each loop. The kernel spreads TCP connections over sockets of one port; a UNIX path has but
    /// one socket, which the loops share.
    private static func listen(_ address: Address, backlog: Int, count: Int) throws(ServerError) -> ([Int32], port: Int) {
        let first = try Listener(address, backlog: backlog, shared: count > 1)
        var descriptors = [first.descriptor]
        do throws(ServerError) {
            for _ in 1..<count {
                switch address {
                case .ipv4(let host, _):
                    descriptors.append(try Listener(.ipv4(host, port: first.port), backlog: backlog, shared: true).descriptor)
                case .ipv6(let host, _):
                    descriptors.append(try Listener(.ipv6(host, port: first.port), backlog: backlog, shared: true).descriptor)
                case .unix:
                    let copy = fcntl(first.descriptor, F_DUPFD_CLOEXEC, 0)
                    guard copy >= 0 else {
                        throw ServerError(code: .system, description: "cannot listen on \(address): fcntl failed with \(errno)")
                    }
                    descriptors.append(copy)
                }
            }
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }
        return (descriptors, first.port)
    }
}

/// Waits for the loops to end.
private final class Ends: Sendable {
    private struct State {
        var left: Int
        var isStopping = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Lock<State>

    init(_ count: Int) { state = Lock(State(left: count)) }

    func isFirstStop() -> Bool {
        state.withLock { state in
            defer { state.isStopping = true }
            return !state.isStopping
        }
    }

    func oneEnded() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.left -= 1
            return state.left == 0 ? state.waiters : []
        }
        for waiter in waiters { waiter.resume() }
    }

    func all() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.left > 0 { state.waiters.append(continuation) }
                return state.left == 0
            }
            if isOver { continuation.resume() }
        }
    }
}
