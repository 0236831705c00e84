public import EventLog
public import Events
internal import Crypto
internal import JSON

/// What the log knows of a command that it has seen: the answer it gave, and what was asked.
public struct FirstAnswer: Sendable {
    /// The answer.
    public let appended: Appended
    /// Why it was appended.
    public let cause: Cause
    /// The events' bytes.
    public let events: [[UInt8]]

    /// Rebuilds the answer from the events that the command left on the log: those from its first one on that name the
    /// same cause. Nil when the first of them is unreadable, which no event of a log that verifies is.
    public init?(events logged: [LoggedEvent]) {
        guard let first = logged.first, let header = try? EventHeader(trusted: first.bytes) else { return nil }
        var entries: [Appended.Entry] = []
        var events: [[UInt8]] = []
        for event in logged {
            guard let next = try? EventHeader(trusted: event.bytes), next.cause == header.cause,
                next.id == EventID(cause: next.cause.id, type: next.type, ordinal: entries.count)
            else { break }
            entries.append(Appended.Entry(id: next.id, stream: next.stream, version: event.version))
            events.append(event.bytes)
        }
        appended = Appended(position: first.position, entries: entries)
        cause = header.cause
        self.events = events
    }

    /// An answer that was just given.
    public init(_ append: PreparedAppend, appended: Appended) {
        self.appended = appended
        cause = append.cause
        events = append.entries.map(\.bytes)
    }

    /// What the same command gets when it comes again: the first answer, or a conflict that says what differs.
    public func answer(to append: PreparedAppend) throws(LogError) -> Appended {
        var again = appended
        again.isRepeat = true
        switch (cause, append.cause) {
        case (.command(_, let first), .command(_, let now)) where first == now: return again
        case (.event(let first), .event(let now)) where first == now: return again
        case (.command(_, let first), .command(_, let now)):
            throw .conflict(conflict(append, first: first, now: now))
        default:
            throw .conflict(conflict(append, first: nil, now: nil))
        }
    }

    private func conflict(_ append: PreparedAppend, first: Digest?, now: Digest?) -> CommandConflict {
        CommandConflict(
            command: append.cause.id, position: appended.position, firstDigest: first, digest: now,
            differences: Self.differences(events, append.entries.map(\.bytes)))
    }

    /// JSON pointers to where two lists of events differ, leaving out what differs with every attempt (`time`,
    /// `correlation` and the digest itself).
    static func differences(_ old: [[UInt8]], _ new: [[UInt8]]) -> [String] {
        var found: [String] = []
        for index in 0..<max(old.count, new.count) {
            guard index < old.count, index < new.count else {
                found.append("/\(index)")
                continue
            }
            guard let left = try? JSON.parse(old[index]), let right = try? JSON.parse(new[index]) else { continue }
            compare(left, right, at: "/\(index)", into: &found)
        }
        let varying = ["time", "correlation", "cause/digest"]
        return Array(found.filter { place in !varying.contains { place.hasSuffix("/" + $0) } }.prefix(16))
    }

    private static func compare(_ old: JSONValue, _ new: JSONValue, at place: String, into found: inout [String]) {
        switch (old, new) {
        case (.object(let left), .object(let right)):
            let keys = left.keys + right.keys.filter { left[$0] == nil }
            for key in keys {
                let inner = place + "/" + key
                guard let a = left[key], let b = right[key] else {
                    found.append(inner)
                    continue
                }
                compare(a, b, at: inner, into: &found)
            }
        case (.array(let left), .array(let right)) where left.count == right.count:
            for (index, pair) in zip(left, right).enumerated() { compare(pair.0, pair.1, at: place + "/\(index)", into: &found) }
        default:
            if old != new { found.append(place) }
        }
    }
}
