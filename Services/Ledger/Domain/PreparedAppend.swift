public import Crypto
public import EventLog
public import Events

/// An append whose every rule that needs no state has been checked, with what the sequencer needs worked out.
public struct PreparedAppend: Sendable {
    /// One event of it.
    public struct Entry: Sendable {
        /// As it goes on the log.
        public let bytes: [UInt8]
        /// SHA-256(0x00 ‖ bytes).
        public let leaf: Digest
        /// Its id.
        public let id: EventID
        /// Its stream.
        public let stream: StreamName
        /// What the store knows the stream by.
        public let streamKey: Key128
    }

    /// A condition on a stream.
    public struct Condition: Sendable {
        /// The stream.
        public let stream: StreamName
        /// What the store knows it by.
        public let key: Key128
        /// What must hold.
        public let expected: ExpectedVersion
    }

    /// Appends that are handed in together, each decided on what the ones before it would make.
    public struct Run: Sendable {
        /// Tells it from others.
        public let id: UInt64
        /// Streams of those before it that were not fit for the log.
        public let broken: Set<Key128>

        /// A run's part.
        public init(id: UInt64, broken: Set<Key128>) {
            self.id = id
            self.broken = broken
        }
    }

    /// Who writes.
    public let writer: Service
    /// Why.
    public let cause: Cause
    /// What the store knows the append by.
    public let command: Key128
    /// The events, in their order.
    public let entries: [Entry]
    /// What must hold before.
    public let conditions: [Condition]
    /// All bytes together.
    public let byteCount: Int

    /// The time the events state; one append has one cause, and so one time.
    public let time: Timestamp
    /// For a reaction, where the event reacted to should be.
    public let causePosition: UInt64?
    /// The run that it is handed in with; nil when it stands alone.
    public var run: Run?
    /// What is wrong with a command's time when it is too far from the ledger's clock. A new command is refused for it;
    /// one that the log has already gets its first answer, however late it comes again.
    public let lateness: EventError?

    /// Checks a request: sizes, canonical form, one cause, ids, types and namespaces of the writer; and compares a
    /// command's time with the ledger's clock.
    public init(_ request: AppendRequest, writer: Service, now: Timestamp) throws(LogError) {
        guard !request.events.isEmpty else { throw .malformed(field: "/events", reason: "no event") }
        guard request.events.count <= AppendRequest.maximumEvents else {
            throw .malformed(
                field: "/events", reason: "\(request.events.count) events; at most \(AppendRequest.maximumEvents) go into one append")
        }
        guard request.expected.count <= AppendRequest.maximumEvents else {
            throw .malformed(field: "/expected", reason: "at most \(AppendRequest.maximumEvents) streams can be named")
        }
        var entries: [Entry] = []
        entries.reserveCapacity(request.events.count)
        var first: EventHeader?
        var bytes = 0
        for (index, event) in request.events.enumerated() {
            do {
                let header = try EventHeader(parsing: event)
                try AppendRules.check(header, ordinal: index, first: first ?? header, writer: writer)
                if first == nil { first = header }
                entries.append(
                    Entry(bytes: event, leaf: Merkle.leaf(event), id: header.id, stream: header.stream, streamKey: header.stream.key))
                bytes += event.count
            } catch {
                throw .invalid(index: index, error)
            }
        }
        guard let first else { throw .malformed(field: "/events", reason: "no event") }
        if case .event = first.cause, request.causePosition == nil {
            throw .malformed(field: "/cause_position", reason: "a reaction says at which position the event stands that it reacts to")
        }
        self.writer = writer
        self.entries = entries
        cause = first.cause
        time = first.time
        command = first.cause.key(writer: writer)
        byteCount = bytes
        causePosition = request.causePosition
        lateness = AppendRules.lateness(of: first.time, cause: first.cause, now: now)
        conditions = request.expected.map { Condition(stream: $0.key, key: $0.key.key, expected: $0.value) }
    }
}

/// The rules for one event of an append.
enum AppendRules {
    /// How far an event's time may be from the ledger's clock.
    static let clockTolerance: Int64 = 5_000_000

    static func check(_ header: EventHeader, ordinal: Int, first: EventHeader, writer: Service) throws(EventError) {
        guard let entry = EventCatalog.entry(of: header.type) else {
            throw EventError(.unknownType, field: "/type", "the catalogue has no type \(header.type)")
        }
        guard header.version <= entry.version else {
            throw EventError(.unknownVersion, field: "/v", "\(header.type) is known up to version \(entry.version), not \(header.version)")
        }
        guard entry.owner == writer else {
            throw EventError(
                .foreignNamespace, field: "/type", "\(header.type) belongs to \(entry.owner.rawValue), not to \(writer.rawValue)")
        }
        guard writer.nouns.contains(String(header.stream.kind)) else {
            throw EventError(
                .foreignNamespace, field: "/stream", "streams of kind \(header.stream.kind) do not belong to \(writer.rawValue)")
        }
        guard header.cause == first.cause else {
            throw EventError(.mixedCause, field: "/cause", "the events of one append have one cause")
        }
        guard header.time == first.time else {
            throw EventError(.wrongTime, field: "/time", "the events of one append have one time")
        }
        guard header.id.isMade(from: header.cause.id, type: header.type, ordinal: ordinal) else {
            let id = EventID(cause: header.cause.id, type: header.type, ordinal: ordinal)
            throw EventError(.wrongID, field: "/id", "must be \(id), made from cause, type and ordinal \(ordinal)")
        }
    }

    static func lateness(of time: Timestamp, cause: Cause, now: Timestamp) -> EventError? {
        guard case .command = cause else { return nil }
        let (away, overflow) = time.microseconds.subtractingReportingOverflow(now.microseconds)
        if !overflow, away.magnitude <= UInt64(clockTolerance) { return nil }
        return EventError(.wrongTime, field: "/time", "\(time) is more than 5 s from the ledger's clock, \(now)")
    }
}

extension PreparedAppend {
    /// Checks a reaction against the event that it says it reacts to.
    public func check(reactingTo event: LoggedEvent?) throws(LogError) {
        guard case .event(let id) = cause, let position = causePosition else { return }
        guard let event else { throw .malformed(field: "/cause_position", reason: "the log has no position \(position)") }
        let header: EventHeader
        do { header = try EventHeader(trusted: event.bytes) } catch { throw .malformed(field: "/cause_position", reason: "\(error)") }
        guard header.id == id else {
            throw .malformed(field: "/cause_position", reason: "position \(position) has event \(header.id), not \(id)")
        }
        guard header.time == time else {
            throw .invalid(
                index: 0, EventError(.wrongTime, field: "/time", "a reaction has the time of the event reacted to, \(header.time)"))
        }
    }
}
