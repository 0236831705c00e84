public import Crypto
public import Events

/// What a stream must look like for an append to be accepted.
public enum ExpectedVersion: Sendable, Hashable {
    /// Anything.
    case any
    /// No event yet.
    case none
    /// Exactly this many events, which is the version that the first new event gets.
    case exact(UInt64)
}

/// Events to append atomically: all of them or none, next to one another, in this order.
public struct AppendRequest: Sendable {
    /// At most this many events in one append.
    public static let maximumEvents = 1_024

    /// Canonical bytes of each event; all share one cause.
    public var events: [[UInt8]]
    /// What must hold of a stream; a stream that is not named may be in any state.
    public var expected: [StreamName: ExpectedVersion]
    /// For a reaction, the position of the event reacted to, so that the ledger can check its id and time.
    public var causePosition: UInt64?

    /// A request from its parts.
    public init(events: [[UInt8]], expected: [StreamName: ExpectedVersion] = [:], causePosition: UInt64? = nil) {
        self.events = events
        self.expected = expected
        self.causePosition = causePosition
    }
}

/// Where an append ended up. The same command gets the same answer for ever.
public struct Appended: Sendable, Hashable {
    /// One appended event.
    public struct Entry: Sendable, Hashable {
        /// The event's id.
        public let id: EventID
        /// Its stream.
        public let stream: StreamName
        /// Its number in the stream, from 0.
        public let version: UInt64

        /// An entry from its parts.
        public init(id: EventID, stream: StreamName, version: UInt64) {
            self.id = id
            self.stream = stream
            self.version = version
        }
    }

    /// The first event's position; the others follow it.
    public let position: UInt64
    /// The events in their order.
    public let entries: [Entry]
    /// Whether the log had the command already and this is the answer that it got then: its events may state another time than those
    /// of this request. ``LogClient/append(all:)`` tells it; a single append over HTTP does not.
    public var isRepeat = false
    /// The position after the last event: what a reader has seen once it has seen all of them.
    public var end: UInt64 { position + UInt64(entries.count) }

    /// An answer from its parts.
    public init(position: UInt64, entries: [Entry]) {
        self.position = position
        self.entries = entries
    }

    /// Answers are the same that tell of the same events, however often they are given.
    public static func == (one: Appended, other: Appended) -> Bool { one.position == other.position && one.entries == other.entries }

    /// As for equality.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(position)
        hasher.combine(entries)
    }
}

/// An event as the log holds it.
public struct LoggedEvent: Sendable, Hashable {
    /// Its number in the log, from 0; also its leaf's index.
    public let position: UInt64
    /// Its number in its stream, from 0.
    public let version: UInt64
    /// Its bytes as they were written.
    public let bytes: [UInt8]

    /// An event from its parts.
    public init(position: UInt64, version: UInt64, bytes: [UInt8]) {
        self.position = position
        self.version = version
        self.bytes = bytes
    }
}

/// A run of events and how far the log goes.
public struct LogBatch: Sendable {
    /// Dense and in order; empty at the end of the log.
    public let events: [LoggedEvent]
    /// How many events the log had when it was read.
    public let size: UInt64

    /// A batch from its parts.
    public init(events: [LoggedEvent], size: UInt64) {
        self.events = events
        self.size = size
    }
}

/// The same command id came with another body.
public struct CommandConflict: Sendable, Hashable {
    /// The command's id.
    public let command: String
    /// Where the first append with this id begins.
    public let position: UInt64
    /// The digest it came with; nil when it was a reaction.
    public let firstDigest: Digest?
    /// The digest that came now.
    public let digest: Digest?
    /// JSON pointers into the list of events, such as `/0/data/amount`, where the two appends differ.
    public let differences: [String]

    /// A conflict from its parts.
    public init(command: String, position: UInt64, firstDigest: Digest?, digest: Digest?, differences: [String]) {
        self.command = command
        self.position = position
        self.firstDigest = firstDigest
        self.digest = digest
        self.differences = differences
    }
}

/// Why the log did not do what it was asked.
public enum LogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An event is not fit for the log; `index` is its place in the request.
    case invalid(index: Int, EventError)
    /// The request as a whole is not fit.
    case malformed(field: String, reason: String)
    /// A stream is not at the version that was expected.
    case wrongVersion(stream: StreamName, expected: ExpectedVersion, actual: UInt64)
    /// The command id was used before with another body.
    case conflict(CommandConflict)
    /// The log has no such position or stream.
    case notFound(String)
    /// This instance does not write; another one does.
    case notLeader(String)
    /// Too much is waiting; nothing of this request was stored. Try again.
    case busy
    /// The outcome is not known: ask again with the same command id.
    case unavailable(String)

    /// The fault in one line, with what to do.
    public var description: String {
        switch self {
        case .invalid(let index, let error): "event \(index): \(error)"
        case .malformed(let field, let reason): "\(field): \(reason)"
        case .wrongVersion(let stream, let expected, let actual):
            switch expected {
            case .exact(let version): "stream \(stream) has \(actual) events, not \(version): read it again and decide anew"
            case .none: "stream \(stream) exists already with \(actual) events"
            case .any: "stream \(stream) has \(actual) events"
            }
        case .conflict(let conflict):
            "command \(conflict.command) was used at position \(conflict.position) with another body"
                + (conflict.differences.isEmpty ? "" : "; they differ at " + conflict.differences.joined(separator: ", "))
        case .notFound(let what): "no \(what)"
        case .notLeader(let reason): "this instance does not lead: \(reason)"
        case .busy: "too many appends are waiting: try again in a moment"
        case .unavailable(let reason): "the log is not available (\(reason)): try again with the same command id"
        }
    }
}

/// Appends to and reads from the log, in the same process or over the network.
public protocol LogClient: Sendable {
    /// Appends; answers after the commit. The same command again gets the first answer.
    func append(_ request: AppendRequest) async throws -> Appended

    /// Appends several requests in their order, each for itself: one that is refused does not hold back the others, unless they
    /// expect anything of a stream that it would have written. Those are refused as ``LogError/wrongVersion(stream:expected:actual:)``
    /// even when another's event stands in its place and makes the number right: they were decided on something else.
    /// - Returns: an answer for each, in the same order.
    func append(all requests: [AppendRequest]) async -> [Result<Appended, any Error>]

    /// Events from a position on.
    /// - Parameters:
    ///   - limit: at most this many.
    ///   - wait: how long to wait for an event when there is none yet.
    func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch

    /// Events of one stream from a version on, at most `limit`.
    func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent]
}

extension AppendRequest {
    /// The streams that it would have written or expects something of; of events that can't be read, nothing is known.
    public var touchedStreams: Set<StreamName> {
        Set(expected.keys).union(events.compactMap { try? EventHeader(parsing: $0).stream })
    }
}

extension LogClient {
    /// One after another: right for every client, and as fast as one that has no better way.
    public func append(all requests: [AppendRequest]) async -> [Result<Appended, any Error>] {
        var answers: [Result<Appended, any Error>] = []
        answers.reserveCapacity(requests.count)
        var broken: Set<StreamName> = []
        for request in requests {
            if let stream = request.expected.keys.first(where: broken.contains), let expected = request.expected[stream] {
                answers.append(.failure(LogError.wrongVersion(stream: stream, expected: expected, actual: 0)))
                continue
            }
            do { answers.append(.success(try await append(request))) } catch {
                answers.append(.failure(error))
                broken.formUnion(request.touchedStreams)
            }
        }
        return answers
    }

    /// All events from a position on, as they come: each batch is awaited by long poll.
    /// - Parameter isOver: asked when there is nothing new; true ends the sequence. Never, when left out.
    public func events(
        from position: UInt64, limit: Int = 512, until isOver: @escaping @Sendable () -> Bool = { false }
    ) -> AsyncThrowingStream<LoggedEvent, any Error> {
        let next = LogCursor(client: self, position: position, limit: limit, isOver: isOver)
        return AsyncThrowingStream { try await next.next() }
    }
}

/// Where a reader of the log stands.
private actor LogCursor {
    private let client: any LogClient
    private var position: UInt64
    private let limit: Int
    private let isOver: @Sendable () -> Bool
    private var buffered: ArraySlice<LoggedEvent> = []

    init(client: any LogClient, position: UInt64, limit: Int, isOver: @escaping @Sendable () -> Bool) {
        self.client = client
        self.position = position
        self.limit = limit
        self.isOver = isOver
    }

    func next() async throws -> LoggedEvent? {
        while buffered.isEmpty {
            try Task.checkCancellation()
            buffered = try await client.read(from: position, limit: limit, wait: .seconds(20)).events[...]
            if buffered.isEmpty, isOver() { return nil }
        }
        let event = buffered.removeFirst()
        position = event.position + 1
        return event
    }
}
