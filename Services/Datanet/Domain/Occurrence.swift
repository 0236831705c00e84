public import Events
public import JSON

/// An event as the state folds it: from the log, or just decided.
public struct Occurrence: Sendable {
    /// Its id.
    public let id: EventID
    /// `<noun>.<past verb>`.
    public let type: String
    /// When it happened.
    public let time: Timestamp
    /// Who did it.
    public let actor: String
    /// Where it stands. Nil for events of this service, which are folded before they have a place.
    public let position: UInt64?
    /// The trace id of the first request: reactions carry it on.
    public let correlation: String
    /// What happened.
    public let data: JSONValue

    /// An occurrence from its parts.
    public init(
        id: EventID, type: String, time: Timestamp, actor: String, position: UInt64?, correlation: String, data: JSONValue
    ) {
        self.correlation = correlation
        self.id = id
        self.type = type
        self.time = time
        self.actor = actor
        self.position = position
        self.data = data
    }
}

/// What a rule may know besides the state.
public struct Moment: Sendable {
    /// When its events will be said to have happened.
    public let time: Timestamp
    /// The greatest time on the log so far: what deadlines are compared with.
    public let logTime: Timestamp
    /// Who asks.
    public let actor: String
    /// Makes ids from the cause: prefix and ordinal.
    public let newID: @Sendable (String, Int) -> String

    /// A moment from its parts.
    public init(time: Timestamp, logTime: Timestamp, actor: String, newID: @escaping @Sendable (String, Int) -> String) {
        self.time = time
        self.logTime = max(time, logTime)
        self.actor = actor
        self.newID = newID
    }
}

/// An event that a rule made.
public struct Decided: Sendable {
    /// `<noun>.<past verb>`.
    public let type: String
    /// Its stream.
    public let stream: StreamName
    /// What happened.
    public let data: JSONValue

    init<Payload: EventData>(_ payload: Payload, _ kind: String, _ id: String) throws(DatanetRefusal) {
        type = Payload.type
        data = payload.json
        guard let stream = StreamName(kind: kind, id: id) else {
            throw DatanetRefusal(.unprocessable, "bad-id", "\(id.prefix(80)) can't name a stream: use visible ASCII")
        }
        self.stream = stream
    }
}

extension Timestamp {
    /// So many seconds later; the last moment that can be written when that is beyond it.
    func adding(seconds: Int) -> Timestamp {
        let (product, above) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000)
        let (sum, beyond) = microseconds.addingReportingOverflow(product)
        // 9999-12-31T23:59:59.999999Z
        return Timestamp(microseconds: above || beyond ? 253_402_300_799_999_999 : min(sum, 253_402_300_799_999_999))
    }
}
