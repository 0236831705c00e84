import Crypto
import EventLog
import Events
import Glibc
import JSON

/// Appends as billing would make them.
enum Sample {
    /// The machine's clock.
    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    static func event(
        _ command: String, ordinal: Int = 0, stream: String = "account/a", type: String = "deposit.received", version: Int = 1,
        body: String? = nil,
        time: Timestamp? = nil, data: JSONValue = ["amount": ["asset": "USDC/6", "amount": "1000000"]]
    ) throws -> [UInt8] {
        guard let name = StreamName(stream) else { throw Unfit("stream \(stream)") }
        return try Event(
            type: type, version: version, stream: name, time: time ?? now, actor: "survivor",
            cause: .command(id: command, digest: SHA256.hash(utf8: body ?? "body of \(command)")), ordinal: ordinal,
            correlation: "0af7651916cd43dd8448eb211c80319c", data: data
        ).encoded()
    }

    /// One event on each of the streams.
    static func append(
        _ command: String, _ streams: [String] = ["account/a"], body: String? = nil, time: Timestamp? = nil
    ) throws -> AppendRequest {
        let time = time ?? now
        return AppendRequest(
            events: try streams.enumerated().map { try event(command, ordinal: $0.offset, stream: $0.element, body: body, time: time) })
    }
}
