internal import HTTP
internal import Synchronization
internal import Threads

/// A handler's task, as the loop knows it: it may be cancelled before it has begun.
final class HandlerTask: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var isCancelled = false
    }

    private let state = Lock(State())

    /// Whether nobody waits for its reply any more.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Cancels it now, or as soon as there is something to cancel.
    func cancel() {
        let task = state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }

    /// It has begun.
    func began(_ task: Task<Void, Never>) {
        let isCancelled = state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }
}

/// A request whose handler is to begin.
struct Launch: Sendable {
    let request: Request
    let key: Key
    let address: IPAddress?
    let task: HandlerTask
    /// Whether its body is here, and small.
    let isSmall: Bool
}

/// The replies of handlers that are begun together: sent together, as long as that holds nobody up.
///
/// To wake a sleeping thread costs more than a small request itself: so the requests of one round go to the pool in groups,
/// and the replies that come at once go back in one piece.
final class LaunchReplies: Sendable {
    /// What came so far; nil once nothing is held back any more.
    private let held: Lock<[Mail]?>
    private let mailbox: Mailbox

    /// Those of handlers that are begun together.
    init(mailbox: Mailbox) {
        held = Lock([])
        self.mailbox = mailbox
    }

    /// That of one handler, which holds up nobody's.
    init(to mailbox: Mailbox) {
        held = Lock(nil)
        self.mailbox = mailbox
    }

    func post(_ key: Key, _ kind: Mail.Kind) {
        let mail = Mail(key: key, kind: kind)
        let isHeld = held.withLock { held in
            held?.append(mail)
            return held != nil
        }
        if !isHeld { mailbox.post([mail]) }
    }

    /// Sends what came so far.
    /// - Parameter isLast: whether what comes from now on is sent at once.
    func send(isLast: Bool) {
        let mail = held.withLock { held in
            // A stream that begins later than the others of its group comes here after the last time: held back then stays nil,
            // or what is posted from then on would wait for somebody who never comes.
            defer { if held != nil { held = isLast ? nil : [] } }
            return held ?? []
        }
        if !mail.isEmpty { mailbox.post(mail) }
    }
}

extension Loop {
    /// Handlers that begin one after the other on one thread of the pool: few, since each waits for the first steps of those
    /// before it.
    static let launchedTogether = 8
    /// Replies that are there are held back for the others of their group no longer than this, in nanoseconds.
    private static let holdReplies: UInt64 = 50_000
    /// With more handlers than this under way the pool is awake, and takes brief ones too.
    private static let fewHandlers = 4
    /// Bytes of a body that is small.
    static let smallBody = 16 << 10

    /// Hands the handlers that are to begin to the pool.
    func launch() {
        if launches.isEmpty { return }
        let group = launches
        launches = []
        launches.reserveCapacity(Self.launchedTogether)
        let common = common, mailbox = mailbox
        if group.count == 1, isBrief(group[0]) {
            let launch = group[0]
            let work: @Sendable () async -> Void = { await Self.answer(launch, common, mailbox, LaunchReplies(to: mailbox)) }
            launch.task.began(Task.detached(executorPreference: executor, operation: work))
            return
        }
        let work: @Sendable () async -> Void = { Self.begin(group, common, mailbox) }
        Task.detached(operation: work)
    }

    private func isBrief(_ launch: Launch) -> Bool {
        running <= Self.fewHandlers && launch.isSmall && options.isBrief?(launch.request.method, launch.request.target) ?? false
    }

    /// On the pool: each handler runs up to where it first waits, then the next.
    private static func begin(_ group: [Launch], _ common: Common, _ mailbox: Mailbox) {
        let replies = LaunchReplies(mailbox: mailbox)
        var since = monotonic()
        for launch in group {
            let work: @Sendable () async -> Void = {
                // The client may have gone while the handler waited for its turn.
                if launch.task.isCancelled { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
                await answer(launch, common, mailbox, replies)
            }
            launch.task.began(Task.immediateDetached(operation: work))
            let now = monotonic()
            if now - since > holdReplies {
                replies.send(isLast: false)
                since = now
            }
        }
        replies.send(isLast: true)
    }
}
