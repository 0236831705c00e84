internal import CEpoll
internal import Glibc
internal import HTTP

/// What all loops of a server share.
struct Common: Sendable {
    let options: Options
    let handler: Handler
    let meters: Meters
    let connectionsByPeer: PeerTable
    let requestsByPeer: PeerTable
    /// Whether several loops wait on one listening socket.
    let sharesListener: Bool
    /// This loop's part of the server's bounds.
    let maxConnections: Int
    let maxHandlers: Int
    let maxQueuedOutput: Int
}

/// One thread's world. Edge-triggered: each socket is registered once, and what is readable or writable is remembered.
///
/// Its parts: accepting, reading, exchanges, writing, timers; each in a file of its own.
final class Loop {
    let poller: Poller
    let mailbox: Mailbox
    let executor: LoopExecutor
    let common: Common
    var options: Options { common.options }
    var meters: Meters { common.meters }

    var listener: Int32?
    var isAccepting = true
    /// When to accept again after the system ran out of something; 0 when only a closed connection can help.
    var acceptAgain: UInt64 = 0

    var slots: [Connection?] = []
    var generations: [UInt32] = []
    var freeSlots: [Int] = []
    var open = 0
    /// Handlers whose last mail has not come.
    var running = 0
    /// Bytes that wait for clients to read them, of all connections.
    var queuedOutput = 0

    var isDraining = false
    var graceEnds = UInt64.max
    /// Handlers that ignore their cancellation are left behind then.
    var giveUp = UInt64.max

    var inbuf = [UInt8](repeating: 0, count: 64 << 10)
    private var mail: [Mail] = []
    var dirty: [Connection] = []
    var ready: [Connection] = []
    /// Handlers to begin at the end of this round.
    var launches: [Launch] = []
    /// Whether a handler has gone a step on this thread since mail was taken.
    var hasStepped = false

    var now = monotonic()
    private var nextTick: UInt64 = 0
    var dateText: [UInt8] = []
    var dateEnds: UInt64 = 0

    private static let mailTag = UInt64.max
    static let listenerTag = UInt64.max - 1
    private static let tick: UInt64 = 100_000_000

    /// The mailbox and the listener are already in the poller.
    init(listener: Int32, poller: Poller, mailbox: Mailbox, common: Common) {
        self.listener = listener
        self.poller = poller
        self.mailbox = mailbox
        executor = LoopExecutor(mailbox)
        self.common = common
    }

    /// Registers what a loop waits for, before its thread starts, so that failure shows where the server is made.
    static func prepare(_ poller: Poller, listener: Int32, mailbox: Mailbox, sharesListener: Bool) throws(SystemError) {
        try poller.watchBell(mailbox.descriptor, tag: mailTag)
        try poller.watch(listener, tag: listenerTag, exclusive: sharesListener)
    }

    /// Serves until drained.
    func run() {
        serve()
        for step in mailbox.close() { executor.runElsewhere(step) }
    }

    private func serve() {
        var events = unsafe [epoll_event](repeating: epoll_event(), count: 256)
        while true {
            // Mail is taken behind the events of the same round; the mailbox decides whether sleeping is allowed.
            var timeout: Int32 = 0
            if ready.isEmpty, mailbox.maySleep() {
                timeout = open > 0 || isDraining || acceptAgain > 0 ? Int32(Self.tick / 1_000_000) : -1
            }
            let count = unsafe poller.wait(&events, milliseconds: timeout)
            now = monotonic()
            for index in 0..<count {
                let event = unsafe events[index]
                switch unsafe event.data.u64 {
                // It has woken us, which is all that it is for.
                case Self.mailTag: break
                case Self.listenerTag: acceptBatch()
                case let tag:
                    if let connection = connection(UInt32(truncatingIfNeeded: tag), UInt32(truncatingIfNeeded: tag >> 32)) {
                        unsafe socketEvent(connection, event.events)
                    }
                }
            }
            launch()
            mailbox.take(into: &mail)
            for item in mail { deliver(item) }
            if hasStepped {
                // What a handler here has just answered goes out in the same round.
                hasStepped = false
                mailbox.take(into: &mail)
                for item in mail { deliver(item) }
            }
            flushDirty()
            goOn()
            if now >= nextTick {
                nextTick = now + Self.tick
                checkDeadlines()
                flushDirty()
            }
            launch()
            if isDraining, open == 0, running == 0 || now >= giveUp { return }
        }
    }

    /// Those that have more to do than they were given time for.
    private func goOn() {
        if ready.isEmpty { return }
        let batch = ready
        ready.removeAll(keepingCapacity: true)
        for connection in batch {
            connection.isReady = false
            pump(connection)
        }
        flushDirty()
    }

    private func flushDirty() {
        if dirty.isEmpty { return }
        let batch = dirty
        dirty.removeAll(keepingCapacity: true)
        for connection in batch {
            connection.isDirty = false
            flush(connection)
        }
    }

    func connection(_ slot: UInt32, _ generation: UInt32) -> Connection? {
        guard Int(slot) < slots.count, let connection = slots[Int(slot)], connection.generation == generation else { return nil }
        return connection
    }

    /// Goes on with it after the others.
    func again(_ connection: Connection) {
        if connection.isReady || connection.isClosed { return }
        connection.isReady = true
        ready.append(connection)
    }

    /// Flushes it at the end of this round, together with whatever else it is given until then.
    func touch(_ connection: Connection) {
        if connection.isDirty || connection.isClosed { return }
        connection.isDirty = true
        dirty.append(connection)
    }
}
