import Crypto
import EventLog
import Events
import LedgerDomain
import TestSupport

/// What the log must do, written as plainly as can be: one append after the other, everything in memory.
struct NaiveLog {
    private(set) var events: [LoggedEvent] = []
    private var heads: [Key128: UInt64] = [:]
    private var commands: [Key128: (append: PreparedAppend, answer: Appended)] = [:]

    mutating func append(_ append: PreparedAppend) -> Result<Appended, LogError> {
        if let (first, answer) = commands[append.command] {
            return Result { () throws(LogError) in try FirstAnswer(first, appended: answer).answer(to: append) }
        }
        if let fault = append.lateness { return .failure(.invalid(index: 0, fault)) }
        for condition in append.conditions {
            let actual = heads[condition.key, default: 0]
            let holds =
                switch condition.expected {
                case .any: true
                case .none: actual == 0
                case .exact(let version): actual == version
                }
            if !holds { return .failure(.wrongVersion(stream: condition.stream, expected: condition.expected, actual: actual)) }
        }
        let position = UInt64(events.count)
        var entries: [Appended.Entry] = []
        for entry in append.entries {
            let version = heads[entry.streamKey, default: 0]
            heads[entry.streamKey] = version + 1
            events.append(LoggedEvent(position: UInt64(events.count), version: version, bytes: entry.bytes))
            entries.append(Appended.Entry(id: entry.id, stream: entry.stream, version: version))
        }
        let answer = Appended(position: position, entries: entries)
        commands[append.command] = (append, answer)
        return .success(answer)
    }
}

/// Makes appends that meet, repeat and contradict one another.
struct AppendGenerator {
    var random: SeededGenerator
    /// Whether commands come again only rarely.
    var isCalm = false
    private var number = 0
    private var made: [(id: String, request: AppendRequest)] = []
    static let now = Timestamp(microseconds: 1_795_000_000_000_000)

    init(_ random: SeededGenerator) { self.random = random }

    mutating func next() throws -> PreparedAppend {
        let choice = Int.random(in: 0..<(isCalm ? 10_000 : 100), using: &random)
        if choice < 15, let old = made.randomElement(using: &random) {
            // The same again, perhaps long after.
            let now = Timestamp(microseconds: Self.now.microseconds + (random.chance(0.5) ? 0 : 60_000_000))
            return try PreparedAppend(old.request, writer: .billing, now: now)
        }
        var id = "c\(number)"
        number += 1
        if choice < 22, let old = made.randomElement(using: &random) { id = old.id }
        let streams = (0..<Int.random(in: 1...3, using: &random)).map { _ in stream() }
        var expected: [StreamName: ExpectedVersion] = [:]
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            guard let name = StreamName(random.chance(0.7) ? streams[0] : stream()) else { continue }
            let versions: [ExpectedVersion] = [.any, .none, .exact(0), .exact(UInt64.random(in: 0...6, using: &random))]
            expected[name] = versions.randomElement(using: &random)
        }
        let late = random.chance(0.03)
        let request = AppendRequest(
            events: try Sample.command(
                id, streams: streams, digest: Digest(prefixed: "sha256:" + String(repeating: random.chance(0.5) ? "a" : "b", count: 64)),
                time: Timestamp(microseconds: Self.now.microseconds - (late ? 5_000_001 : 0))),
            expected: expected)
        made.append((id, request))
        return try PreparedAppend(request, writer: .billing, now: Self.now)
    }

    private mutating func stream() -> String { "account/\(Int.random(in: 0..<12, using: &random))" }
}
