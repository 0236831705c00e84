internal import Glibc
internal import Synchronization
internal import Threads

/// A message that a session sent by `NOTIFY`.
public struct PostgresNotification: Sendable, Equatable {
    /// The channel's name.
    public let channel: String
    /// The payload, less than 8,000 bytes; empty where there is none.
    public let payload: String
    /// The process of the backend that sent it.
    public let sender: Int32

    /// A notification, for instance in a test.
    public init(channel: String, payload: String, sender: Int32 = 0) {
        self.channel = channel
        self.payload = payload
        self.sender = sender
    }
}

/// Hears `NOTIFY` on a connection and a thread of its own.
///
/// A notification is a hint, never the fact: one that is sent while the connection is down is lost. After ``Event/connected``,
/// ``Event/reconnected`` and ``Event/missed`` read the state that the notifications are about.
public final class PostgresListener: Sendable {
    /// What a listener tells.
    public enum Event: Sendable, Equatable {
        /// Listening for the first time.
        case connected
        /// A session sent a notification.
        case notification(PostgresNotification)
        /// The connection is lost, or could not be made; another attempt follows.
        case disconnected(PostgresError)
        /// Listening again: what was sent in between is lost.
        case reconnected
        /// The consumer was slower than the senders and notifications were dropped.
        case missed
    }

    /// What happens, for one consumer. It ends after ``stop()``.
    public let events: AsyncStream<Event>
    private let stopping: WakePipe

    /// Connects and listens, in the background.
    /// - Parameters:
    ///   - channels: their names, exactly as NOTIFY has them.
    ///   - capacity: events kept for a consumer that is slow.
    public init(_ configuration: PostgresConfiguration, channels: [String], capacity: Int = 1024) {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingOldest(max(8, capacity)))
        events = stream
        let stopping = WakePipe()
        self.stopping = stopping
        var configuration = configuration
        // The connection does nothing but wait.
        configuration.applicationName += " listener"
        OSThread.start(name: "pg-listen") { [configuration] in
            var loop = ListenerLoop(configuration: configuration, channels: channels, continuation: continuation, stopping: stopping)
            loop.run()
            continuation.finish()
        }
    }

    deinit { stopping.signal() }

    /// Closes the connection and ends ``events``.
    public func stop() { stopping.signal() }
}

/// The thread's work.
private struct ListenerLoop {
    let configuration: PostgresConfiguration
    let channels: [String]
    let continuation: AsyncStream<PostgresListener.Event>.Continuation
    let stopping: WakePipe
    private var dropped = false
    private var wasConnected = false
    private var lastFailure: PostgresError?

    init(
        configuration: PostgresConfiguration, channels: [String], continuation: AsyncStream<PostgresListener.Event>.Continuation,
        stopping: WakePipe
    ) {
        self.configuration = configuration
        self.channels = channels
        self.continuation = continuation
        self.stopping = stopping
    }

    mutating func run() {
        var backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(5))
        while !stopping.isSignalled {
            do throws(PostgresError) {
                let raw = try RawConnection(configuration, notice: nil) { stopping.isSignalled }
                for channel in channels { try raw.run("listen \(raw.quoted(identifier: channel))") }
                yield(wasConnected ? .reconnected : .connected)
                wasConnected = true
                lastFailure = nil
                backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(5))
                try listen(raw)
            } catch {
                if stopping.isSignalled { return }
                // Told once, not at every attempt.
                if lastFailure?.code != error.code { yield(.disconnected(error)) }
                lastFailure = error
                stopping.wait(backoff.next(), or: -1)
            }
        }
    }

    private mutating func listen(_ raw: RawConnection) throws(PostgresError) {
        while !stopping.isSignalled {
            while let notification = raw.nextNotification() { yield(.notification(notification)) }
            stopping.wait(dropped ? .milliseconds(100) : nil, or: raw.socket)
            if dropped { tellMissed() }
            guard raw.consumeInput() else { throw raw.failure() }
        }
    }

    private mutating func yield(_ event: PostgresListener.Event) {
        if dropped { tellMissed() }
        if dropped { return }
        if case .dropped = continuation.yield(event) { dropped = true }
    }

    /// Says that events were dropped as soon as the consumer has made room.
    private mutating func tellMissed() {
        if case .dropped = continuation.yield(.missed) { return }
        dropped = false
    }
}
