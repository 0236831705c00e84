internal import Crypto
internal import EventLog
internal import Events
internal import Glibc

/// A state, how far it has come, and what must be known of the service's own events to write the next ones.
struct Fold<State: ServiceState>: Sendable {
    /// Where a command's events stand.
    struct Place: Sendable {
        var position: UInt64
        var count: UInt32
    }

    /// What a decision will append.
    struct Plan: Sendable {
        let request: AppendRequest
        let events: [Event]

        func outcome(_ appended: Appended) -> Outcome {
            Outcome(
                facts: zip(events, appended.entries).enumerated().map { index, pair in
                    Outcome.Placed(fact: Fact(pair.0), position: appended.position + UInt64(index), version: pair.1.version)
                }, isRepeat: false)
        }
    }

    let service: Service
    var state: State
    /// The next position wanted from the log.
    var next: UInt64 = 0
    private var logTime = Timestamp(microseconds: 0)
    /// How many events each of the service's streams has, those on their way included.
    private var versions: [StreamName: UInt64] = [:]
    /// The service's own causes, with where their events stand.
    private(set) var memory: [CommandKey: Place] = [:]
    /// Whether the state has been half changed by events that it then refused; it must be made anew.
    private(set) var isSpoilt = false
    /// Events that the state has and the log has not shown yet, with their bytes, in the order of their decisions, from `shown` on.
    private var ahead: [(id: EventID, bytes: [UInt8])] = []
    private var shown = 0

    init(service: Service, state: State) {
        self.service = service
        self.state = state
    }

    // MARK: From a rule

    /// Decides and applies; nil when the rule makes no event.
    /// - Throws: what the rule throws, with nothing changed; or ``DecisionError/malformed(_:)``.
    mutating func plan(_ ticket: Ticket<State>, now: Timestamp) throws -> Plan? {
        let time = ticket.time ?? now
        let context = DecisionContext(time: time, logTime: logTime, cause: ticket.cause, actor: ticket.actor)
        let decided = try ticket.rule(state, context)
        guard !decided.isEmpty else { return nil }
        // Before anything is applied: the log would not take it, now or ever.
        guard decided.count <= AppendRequest.maximumEvents else {
            throw DecisionError.malformed(
                "a decision makes \(decided.count) events, more than the \(AppendRequest.maximumEvents) of one append: ask for less at once"
            )
        }
        let events = decided.enumerated().map { ordinal, new in
            Event(
                type: new.type, version: new.version, stream: new.stream, time: time, actor: ticket.actor, cause: ticket.cause,
                ordinal: ordinal, correlation: ticket.correlation, data: new.data)
        }
        let bytes = try encoded(events)
        var expected: [StreamName: ExpectedVersion] = [:]
        for event in events where expected[event.stream] == nil { expected[event.stream] = .exact(versions[event.stream] ?? 0) }
        // In place: a copy to fall back on would make every decision as costly as the state is large.
        do {
            for (event, new) in zip(events, decided) where State.concerns(event.type) {
                try state.apply(Fact(event, decided: new.decided))
            }
        } catch {
            isSpoilt = true
            throw DecisionError.malformed("a decision does not fit its own state: \(error)")
        }
        for (event, bytes) in zip(events, bytes) {
            versions[event.stream, default: 0] += 1
            ahead.append((event.id, bytes))
        }
        logTime = max(logTime, time)
        return Plan(request: AppendRequest(events: bytes, expected: expected, causePosition: ticket.causePosition), events: events)
    }

    private func encoded(_ events: [Event]) throws -> [[UInt8]] {
        do { return try events.map { try $0.encoded() } } catch { throw DecisionError.malformed("\(error)") }
    }

    /// Notes where a decision went, so that the same cause is not decided again before the log shows it.
    mutating func remember(_ cause: Cause, at appended: Appended) {
        memory[CommandKey(cause)] = Place(position: appended.position, count: UInt32(appended.entries.count))
    }

    // MARK: From the log

    /// Applies what comes next on the log.
    /// - Returns: false when an own event stands there otherwise than it was decided here, or does not go with what was: the state must
    ///   be made anew.
    mutating func take(_ events: [LoggedEvent]) throws(DecisionError) -> Bool {
        for logged in events {
            do {
                guard try take(logged) else { return false }
            } catch {
                // What was decided here and is not on the log yet may be what does not go with it: another instance was first.
                guard ahead.count == shown else { return false }
                throw .stopped(position: logged.position, reason: "\(error)")
            }
            next = logged.position + 1
        }
        return true
    }

    private mutating func take(_ logged: LoggedEvent) throws -> Bool {
        // Nearly always what was decided here comes back as it was, in the same order: it has been applied and needs no second look. Whoever
        // appended it remembers it.
        if shown < ahead.count, Self.isSame(ahead[shown].bytes, logged.bytes) {
            confirm(shown)
            return true
        }
        let header = try EventHeader(trusted: logged.bytes)
        logTime = max(logTime, header.time)
        guard service.nouns.contains(String(header.noun)) else {
            if State.concerns(header.type) { try state.apply(try Fact(logged, header, position: logged.position)) }
            return true
        }
        if let place = ahead[shown...].firstIndex(where: { $0.id == header.id }) {
            guard Self.isSame(ahead[place].bytes, logged.bytes) else { return false }
            confirm(place)
            return true
        }
        memory[CommandKey(header.cause), default: Place(position: logged.position, count: 0)].count += 1
        versions[header.stream] = logged.version + 1
        if State.concerns(header.type) { try state.apply(try Fact(logged, header, position: nil)) }
        return true
    }
}

extension Fold {
    /// The log has shown what was decided.
    private mutating func confirm(_ place: Int) {
        guard place == shown else {
            ahead.remove(at: place)
            return
        }
        ahead[place].bytes = []
        shown += 1
        if shown == ahead.count {
            ahead.removeAll(keepingCapacity: true)
            shown = 0
        } else if shown > 4_096, shown * 2 > ahead.count {
            ahead.removeFirst(shown)
            shown = 0
        }
    }

    private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count
            && left.withUnsafeBytes { left in
                right.withUnsafeBytes { right in
                    guard let first = left.baseAddress, let second = right.baseAddress else { return true }
                    return memcmp(first, second, left.count) == 0
                }
            }
    }
}

/// The first 128 bits of SHA-256 of a cause's id: what a service remembers of each of its commands.
struct CommandKey: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    init(_ cause: Cause) {
        let kind =
            switch cause {
            case .command: "command\n"
            case .event: "event\n"
            }
        (high, low) = SHA256.hash(Array((kind + cause.id).utf8)).withUnsafeBytes {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }
}
