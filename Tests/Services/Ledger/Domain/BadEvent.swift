import Crypto
import EventLog
import Events
import Foundation
import JSON
import LedgerService
import Testing

/// One append by billing for every way in which an event can be wrong.
enum BadEvent: String, CaseIterable, Sendable {
    case tooLarge, spaced, unordered, fraction, noJSON, missingField, extraField, emptyActor, badTime, badStream, badCause, twoCauses
    case foreignID, wrongOrdinal, unknownType, unknownVersion, versionZero, foreignType, foreignStream, mixedCause, mixedTime, late

    var kind: EventError.Kind {
        switch self {
        case .tooLarge: .tooLarge
        case .spaced, .unordered, .fraction, .noJSON: .notCanonical
        case .missingField, .extraField, .emptyActor, .badTime, .badStream, .badCause, .twoCauses, .versionZero: .malformed
        case .foreignID, .wrongOrdinal: .wrongID
        case .unknownType: .unknownType
        case .unknownVersion: .unknownVersion
        case .foreignType, .foreignStream: .foreignNamespace
        case .mixedCause: .mixedCause
        case .mixedTime, .late: .wrongTime
        }
    }

    /// The place of the event at fault.
    var index: Int {
        switch self {
        case .mixedCause, .mixedTime, .wrongOrdinal: 1
        default: 0
        }
    }

    func request(now: Timestamp = LedgerClock.frozen.now()) throws -> AppendRequest {
        func made(
            _ type: String = "deposit.received", v: Int = 1, _ stream: String = "account/a", command: String = "bad", ordinal: Int = 0,
            time: Timestamp? = nil, actor: String = "tester", data: JSONValue = ["n": 1]
        ) throws -> [UInt8] {
            // Not by `encoded()`, which refuses some of what is wanted here.
            let event = Event(
                type: type, version: v, stream: try #require(StreamName(stream)), time: time ?? now, actor: actor,
                cause: .command(id: command, digest: SHA256.hash(utf8: "body")), ordinal: ordinal, correlation: "c", data: data)
            return try JSON.canonical([
                "id": .string(event.id.text), "type": .string(type), "v": .int(Int64(v)), "stream": .string(stream),
                "time": .string(event.time.description), "actor": .string(actor),
                "cause": ["command": .string(command), "digest": .string(SHA256.hash(utf8: "body").prefixed)], "correlation": "c",
                "data": data,
            ])
        }
        func edited(_ old: String, _ new: String) throws -> [UInt8] {
            let text = String(decoding: try made(), as: UTF8.self)
            _ = try #require(text.range(of: old))
            return Array(text.replacing(old, with: new).utf8)
        }
        let events: [[UInt8]] =
            switch self {
            case .tooLarge: [try made(data: .string(String(repeating: "x", count: Event.maximumBytes)))]
            case .spaced: [try edited("{\"n\":1}", "{\"n\": 1}")]
            case .unordered: [try edited("{\"n\":1}", "{\"n\":1,\"m\":1}")]
            case .fraction: [try edited("{\"n\":1}", "{\"n\":1.5}")]
            case .noJSON: [Array(try made().dropLast())]
            case .missingField: [try edited("\"correlation\":\"c\",", "")]
            case .extraField: [try edited("\"v\":1}", "\"v\":1,\"w\":1}")]
            case .emptyActor: [try made(actor: "")]
            case .badTime: [try edited(now.description, "2026-11-21T10:55:00Z")]
            case .badStream: [try edited("account/a", "account")]
            case .badCause: [try edited("sha256:", "sha512:")]
            case .twoCauses:
                [try edited("},\"correlation\"", ",\"event\":\"\(EventID(cause: "x", type: "y", ordinal: 0))\"},\"correlation\"")]
            case .foreignID:
                [
                    try edited(
                        EventID(cause: "bad", type: "deposit.received", ordinal: 0).text, EventID(cause: "x", type: "y", ordinal: 0).text)
                ]
            case .wrongOrdinal: [try made(), try made(ordinal: 2)]
            case .unknownType: [try made("deposit.imagined")]
            case .unknownVersion: [try made(v: 2)]
            case .versionZero: [try made(v: 0)]
            case .foreignType: [try made("job.requested")]
            case .foreignStream: [try made("deposit.received", "job/1")]
            case .mixedCause: [try made(), try made(command: "other", ordinal: 1)]
            case .mixedTime: [try made(), try made(ordinal: 1, time: Timestamp(microseconds: now.microseconds + 1))]
            case .late: [try made(time: Timestamp(microseconds: now.microseconds - 3_600_000_000))]
            }
        return AppendRequest(events: events)
    }
}
