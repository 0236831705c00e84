internal import EventLog
internal import Postgres
internal import Synchronization
internal import Threads

/// Answers for batches in the order of their commits, each once it is on disk.
///
/// The writer commits a large batch without waiting for the disk and goes on with the next one. Meanwhile another session
/// on the same server commits a message of its own and does wait: the server writes its log in one order, so whatever was
/// committed before the message began is on disk when the message is. Until then the batch is nobody's: no caller is
/// answered, no reader sees it, no checkpoint covers it.
///
/// That session is older than every commit it answers for, and is never replaced by another while a leader leads. A server
/// that crashes ends all its sessions; so one that still answers has lost nothing that it was told before.
final class Flusher: Sendable {
    /// A committed batch and who waits for it.
    struct Item: Sendable {
        let batch: [AppendQueue.Pending]
        let written: WrittenBatch
        let start: ContinuousClock.Instant
    }

    private struct State {
        var waiting: [Item] = []
        var isBusy = false
        var isClosed = false
        var failure: (any Error)?
    }

    /// Batches that may wait for the disk; then the writer waits too.
    static let maximumWaiting = 16
    /// How often an idle session makes sure that its server is still there.
    private static let patience = Duration.seconds(1)

    private let state = Lock(State())
    private let work = ThreadSignal()
    private let room = ThreadSignal()
    private let publish: @Sendable (Item) -> Void

    /// - Parameter publish: shows a batch to the rest of the process and answers its callers.
    init(publish: @escaping @Sendable (Item) -> Void) { self.publish = publish }

    /// Whether batches wait for the disk: one that comes now is answered for after them, however it was committed.
    var isBehind: Bool { state.withLock { $0.isBusy || !$0.waiting.isEmpty } }

    /// On the writer's thread: takes a committed batch over. One that is on disk already is published at once when none
    /// waits before it.
    /// - Throws: what the session that flushes broke with; nothing that was committed since can be answered for.
    func settle(_ item: Item) throws {
        while true {
            let (isIdle, isFull, failure) = state.withLock { state -> (Bool, Bool, (any Error)?) in
                let isIdle = state.waiting.isEmpty && !state.isBusy
                let isFull = state.waiting.count >= Self.maximumWaiting
                if state.failure == nil, !isFull, !(isIdle && item.written.isOnDisk) { state.waiting.append(item) }
                return (isIdle, isFull, state.failure)
            }
            if let failure {
                Self.refuse([item])
                throw failure
            }
            if isFull {
                _ = room.wait(atMost: Self.patience)
            } else if isIdle && item.written.isOnDisk {
                return publish(item)
            } else {
                return work.raise()
            }
        }
    }

    /// The writer has ended: ``run(_:)`` returns when nothing waits any more.
    func close() {
        state.withLock { $0.isClosed = true }
        work.raise()
    }

    /// On the thread of the session that flushes, until closed.
    /// - Throws: what the session broke with, after everybody who waits has been told.
    func run(_ session: PostgresSession) throws {
        while let items = take() {
            do {
                if items.contains(where: { !$0.written.isOnDisk }) {
                    try session.execute(LogSQL.flush)
                } else if items.isEmpty {
                    try session.execute(LogSQL.ping)
                }
            } catch {
                Self.refuse(items)
                throw error
            }
            for item in items { publish(item) }
        }
    }

    /// Nothing can be answered for any more: what waits is refused, and so is what comes.
    func fail(_ error: any Error) {
        let waiting = state.withLock { state in
            if state.failure == nil { state.failure = error }
            state.isBusy = false
            defer { state.waiting = [] }
            return state.waiting
        }
        Self.refuse(waiting)
        room.raise()
    }

    /// What waits, none when nothing came for a while; nil when closed.
    private func take() -> [Item]? {
        guard let items = look() else { return nil }
        if !items.isEmpty {
            room.raise()
            return items
        }
        _ = work.wait(atMost: Self.patience)
        return look()
    }

    private func look() -> [Item]? {
        state.withLock { state in
            state.isBusy = !state.waiting.isEmpty
            if state.waiting.isEmpty && state.isClosed { return nil }
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    /// Whether a commit is on disk is not known: the callers ask again with the same command ids.
    static func refuse(_ items: [Item]) {
        for item in items { refuse(item.batch) }
    }

    /// The same for a batch of which not even the commit is known.
    static func refuse(_ batch: [AppendQueue.Pending]) {
        let outcome = LogError.unavailable("the writer lost the database, and whether this was stored is not known yet")
        for pending in batch { pending.waiter.resume(returning: .failure(outcome)) }
    }
}
