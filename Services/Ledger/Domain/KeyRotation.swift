internal import Crypto
public import EventLog
public import Events
public import JSON

/// The word of one log key for the next: `log-key.rotated`, so that whoever trusted the old key can follow to the new one.
public enum KeyRotation {
    /// The stream of all rotations of a log.
    public static let stream = "log-key/log"

    /// What the old key signs.
    public static func statement(origin: String, next: VerifierKey) -> [UInt8] {
        LogRotation.statement(origin: origin, next: next)
    }

    /// The event's data.
    /// - Parameter signature: the old key's, over ``statement(origin:next:)``.
    public static func data(previous: VerifierKey, next: VerifierKey, signature: [UInt8]) -> JSONValue {
        [
            "next": .string(next.description), "previous": .string(previous.description),
            "signature": .string(Base64URL.encode(signature)),
        ]
    }

    /// The append that puts a rotation on the log. The new key makes the command's id, so it happens once.
    public static func append(data: JSONValue, next: VerifierKey, time: Timestamp) throws -> AppendRequest {
        let digest = SHA256.hash(try JSON.canonical(data))
        guard let stream = StreamName(stream) else { throw EventError(.malformed, field: "/stream", stream) }
        let event = Event(
            type: "log-key.rotated", stream: stream, time: time, actor: Service.ledger.rawValue,
            cause: .command(id: "log-key-\(Hex.encode(next.id))-\(Hex.encode(Array(next.publicKey.prefix(8))))", digest: digest),
            ordinal: 0,
            correlation: "log-key-rotation", data: data)
        return AppendRequest(events: [try event.encoded()])
    }

    /// An event's data, if it is the old key's true word for the new one.
    public static func verify(_ data: JSONValue, origin: String) -> LogRotation? {
        guard case .object(let object) = data, case .string(let old)? = object["previous"], case .string(let new)? = object["next"],
            case .string(let text)? = object["signature"], let signature = Base64URL.decode(text),
            let previous = try? VerifierKey(vkey: old), let next = try? VerifierKey(vkey: new), previous.name == origin
        else { return nil }
        let rotation = LogRotation(previous: previous, next: next, signature: signature)
        return rotation.holds ? rotation : nil
    }
}
