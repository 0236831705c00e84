public import EventLog
public import Events

/// An event on its way into a read model: its place on the log and its header, read from its bytes.
public struct ProjectedEvent: Sendable {
    /// Its place on the log.
    public let position: UInt64
    /// Its number in its stream, from 0.
    public let streamVersion: UInt64
    /// Who, what, when, why.
    public let header: EventHeader
    /// The event as it was written.
    public let bytes: [UInt8]

    /// Reads the header.
    /// - Throws: `EventError` for bytes that are no event.
    public init(_ event: LoggedEvent) throws(EventError) {
        position = event.position
        streamVersion = event.version
        bytes = event.bytes
        header = try EventHeader(trusted: event.bytes)
    }

    /// What happened: the canonical JSON of `data`.
    public var data: ArraySlice<UInt8> { bytes[header.data] }

    /// The members of `data`, for whoever needs a few of them.
    public var members: EventMembers { EventMembers(bytes, within: header.data) }
}
