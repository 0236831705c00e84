internal import CEpoll
internal import Glibc
internal import HTTP
internal import Synchronization
internal import Threads

/// Names one exchange on one connection, so that mail for one that is over is recognised.
struct Key: Sendable, Equatable {
    let slot: UInt32
    let generation: UInt32
    let exchange: UInt32
}

/// What the pool tells a loop.
struct Mail: Sendable {
    enum Kind: Sendable {
        /// The handler's reply; with a stream, chunks follow. `failure` is for the log.
        case response(Response, ReplyStream?, failure: String?)
        case chunk([UInt8])
        /// The stream has ended well.
        case end
        /// The stream has failed.
        case fail(String)
        /// The reader of the body has room again.
        case readMore
        /// The reader wants the body of a client that waits to be asked for it.
        case sendContinue
        /// Stop, within so many nanoseconds.
        case drain(UInt64)
        /// The next step of a handler that runs on the loop's own thread.
        case step(UnownedJob)
    }

    let key: Key
    let kind: Kind
}

/// The only thing that other threads share with a loop: a locked queue, and a descriptor that is rung only when the loop
/// sleeps.
final class Mailbox: Sendable {
    private struct State {
        var mail: [Mail] = []
        var isSleeping = false
        var isClosed = false
    }

    private let state = Lock(State())
    let descriptor: Int32

    init() throws(SystemError) { descriptor = try checked("eventfd", eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))) }

    deinit { _ = Glibc.close(descriptor) }

    func post(_ key: Key, _ kind: Mail.Kind) { post([Mail(key: key, kind: kind)]) }

    func post(_ mail: [Mail]) {
        let mustRing = state.withLock { state in
            state.mail.append(contentsOf: mail)
            defer { state.isSleeping = false }
            return state.isSleeping
        }
        if mustRing { ring() }
    }

    /// Posts a step of a handler; false when no loop takes mail any more.
    func post(step job: UnownedJob) -> Bool {
        let (isTaken, mustRing) = state.withLock { state -> (Bool, Bool) in
            if state.isClosed { return (false, false) }
            state.mail.append(Mail(key: Key(slot: 0, generation: 0, exchange: 0), kind: .step(job)))
            defer { state.isSleeping = false }
            return (true, state.isSleeping)
        }
        if mustRing { ring() }
        return isTaken
    }

    /// No loop takes mail any more. The steps that nobody has taken.
    func close() -> [UnownedJob] {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.mail = [] }
            return state.mail
        }
        return left.compactMap { mail in if case .step(let job) = mail.kind { job } else { nil } }
    }

    private func ring() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Whether nothing waits; then the loop may sleep and will be rung.
    func maySleep() -> Bool {
        state.withLock { state in
            state.isSleeping = state.mail.isEmpty
            return state.isSleeping
        }
    }

    /// Takes all mail; `mail` lends its storage for what comes next.
    func take(into mail: inout [Mail]) {
        mail.removeAll(keepingCapacity: true)
        let empty = mail
        mail = state.withLock { state in
            state.isSleeping = false
            let taken = state.mail
            state.mail = empty
            return taken
        }
    }
}
