import Crypto
public import Decisions
import EventLog
public import Events

extension Fact {
    /// A fact for tests of rules: this data, as if it stood at a position of the log, a second after the one before.
    public static func made<Payload: EventData>(_ data: Payload, _ position: Int, actor: String = "tester") throws -> Fact {
        guard let stream = StreamName(kind: String(Payload.type.prefix { $0 != "." }), id: "t") else { throw MadeError() }
        let event = Event(
            type: Payload.type, stream: stream, time: Timestamp(microseconds: Int64(position)), actor: actor,
            cause: .command(id: "c\(position)", digest: SHA256.hash(utf8: "c")), ordinal: 0,
            correlation: "0af7651916cd43dd8448eb211c80319c",
            data: data.json)
        return try Fact(LoggedEvent(position: UInt64(position), version: 0, bytes: try event.encoded()))
    }
}

private struct MadeError: Error {}
