import Crypto
import DatanetDomain
import Decisions
import EventLog
import Events
import JSON
import Replay
import Testing

@testable import openledger

/// A log whose operator alters events and puts the tree together again, so that every hash and signature is right.
struct TamperedLog {
    /// An event, taken apart.
    struct Entry {
        var type: String
        var stream: StreamName
        var time: Timestamp
        var actor: String
        var cause: Cause
        var ordinal: Int
        var data: JSONValue
        let correlation: String

        init(_ fact: Fact, ordinal: Int) {
            (type, stream, time, actor, cause, data) = (fact.type, fact.stream, fact.time, fact.actor, fact.cause, fact.data)
            self.ordinal = ordinal
            correlation = fact.correlation
        }

        func encoded() throws -> [UInt8] {
            try Event(
                type: type, stream: stream, time: time, actor: actor, cause: cause, ordinal: ordinal, correlation: correlation, data: data
            ).encoded()
        }
    }

    var entries: [Entry] = []
    var evidence: [Digest: [UInt8]]

    init(_ story: WholeStory) throws {
        evidence = story.evidence
        for (position, bytes) in story.events.enumerated() {
            let fact = try Fact(LoggedEvent(position: UInt64(position), version: 0, bytes: bytes))
            let isSame = entries.last.map { $0.cause == fact.cause && Self.owner($0.type) == Self.owner(fact.type) } ?? false
            entries.append(Entry(fact, ordinal: isSame ? (entries.last?.ordinal ?? 0) + 1 : 0))
        }
    }

    private static func owner(_ type: String) -> Service? { EventCatalog.entry(of: type)?.owner }

    // MARK: Finding

    /// Where the events of a type stand that meet a condition.
    func places(_ type: String, where fits: (JSONValue) -> Bool = { _ in true }) -> [Int] {
        entries.indices.filter { entries[$0].type == type && fits(entries[$0].data) }
    }

    func place(_ type: String, _ nth: Int = 0, where fits: (JSONValue) -> Bool = { _ in true }) throws -> Int {
        let found = places(type, where: fits)
        return try #require(found.indices.contains(nth) ? found[nth] : nil, "the story has no \(type) number \(nth)")
    }

    /// Where the decision begins that made the event at a place: what no rule makes of a decision is named there, and a sweep makes
    /// several events at once when it comes late.
    func decision(of place: Int) -> Int { entries.indices.contains(place) ? place - entries[place].ordinal : place }

    // MARK: Altering

    /// Puts a value into an event's data.
    mutating func set(_ place: Int, _ pointer: String, _ value: JSONValue) {
        entries[place].data = entries[place].data.setting(pointer.split(separator: "/").map(String.init)[...], to: value)
    }

    /// The value at a place of an event's data.
    func get(_ place: Int, _ pointer: String) -> JSONValue? { entries[place].data.at(pointer) }

    /// Adds to a number, or to an amount, which is a decimal text.
    mutating func add(_ units: Int, _ place: Int, _ pointer: String) throws {
        if let number = get(place, pointer)?.intValue { return set(place, pointer, .int(number + Int64(units))) }
        let text = try #require(get(place, pointer)?.stringValue.flatMap { Int($0) })
        set(place, pointer, .string(String(text + units)))
    }

    /// Alters a document that an event names, and names the altered one.
    mutating func rewrite(_ place: Int, _ pointer: String, _ change: (JSONValue) throws -> JSONValue) throws {
        let digest = try #require(get(place, pointer)?.stringValue.flatMap { Digest(prefixed: $0) })
        let bytes = try JSON.canonical(try change(try JSON.parse(try #require(evidence[digest]))))
        let other = SHA256.hash(bytes)
        evidence[other] = bytes
        set(place, pointer, .digest(other))
    }

    /// A document that an event names.
    func document(at place: Int, _ pointer: String) -> JSONValue? {
        guard let digest = get(place, pointer)?.stringValue.flatMap({ Digest(prefixed: $0) }), let bytes = evidence[digest] else {
            return nil
        }
        return try? JSON.parse(bytes)
    }

    /// Puts a copy of an event behind it, with a cause of its own.
    mutating func repeatEvent(_ place: Int) {
        var copy = entries[place]
        copy.cause = .command(id: "again", digest: SHA256.hash(utf8: "again"))
        copy.ordinal = 0
        entries.insert(copy, at: place + 1)
    }

    /// The types of the events that are not as they were in another log, or not in both.
    func typesAltered(from other: TamperedLog) -> Set<String> {
        func keyed(_ entries: [Entry]) -> [String: Entry] {
            var counts: [String: Int] = [:]
            var keyed: [String: Entry] = [:]
            for entry in entries {
                let name = "\(entry.type)\n\(entry.cause.id)\n\(entry.ordinal)"
                counts[name, default: 0] += 1
                keyed["\(name)\n\(counts[name] ?? 0)"] = entry
            }
            return keyed
        }
        let (ours, theirs) = (keyed(entries), keyed(other.entries))
        var types: Set<String> = []
        for (key, entry) in ours {
            guard let before = theirs[key], before.data == entry.data, before.actor == entry.actor, before.time == entry.time,
                before.stream == entry.stream
            else {
                types.insert(entry.type)
                continue
            }
        }
        for (key, entry) in theirs where ours[key] == nil { types.insert(entry.type) }
        return types
    }

    // MARK: Auditing

    func encoded() throws -> [[UInt8]] { try entries.map { try $0.encoded() } }

    func audit() async throws -> ReplayReport { try await Self.audit(try encoded(), evidence) }

    /// Replays events without a tree.
    static func audit(_ events: [[UInt8]], _ evidence: [Digest: [UInt8]]) async throws -> ReplayReport {
        let services = FullAudit.services(origin: "test.example/log", evidence: EvidenceShelf(MemoryEvidence(evidence)), from: 0)
        let replay = LogReplay(services, rooted: DatanetLaw.rooted)
        var position: UInt64 = 0
        for start in stride(from: 0, to: events.count, by: 256) {
            let logged = events[start..<min(start + 256, events.count)].map { bytes in
                defer { position += 1 }
                return LoggedEvent(position: position, version: 0, bytes: bytes)
            }
            try await replay.take(replay.read(logged, leaves: logged.map { Merkle.leaf($0.bytes) }))
            try await replay.reached(.init(size: position, root: Merkle.emptyRoot))
        }
        return await replay.report()
    }
}

extension JSONValue {
    /// The value at a JSON Pointer.
    func at(_ pointer: String) -> JSONValue? {
        var value: JSONValue? = self
        for part in pointer.split(separator: "/") {
            if let list = value?.arrayValue, let index = Int(part), list.indices.contains(index) {
                value = list[index]
            } else {
                value = value?[String(part)]
            }
        }
        return value
    }

    func setting(_ path: ArraySlice<String>, to new: JSONValue) -> JSONValue {
        guard let first = path.first else { return new }
        if case .array(var list) = self, let index = Int(first), list.indices.contains(index) {
            list[index] = list[index].setting(path.dropFirst(), to: new)
            return .array(list)
        }
        var object = objectValue ?? JSONObject()
        object[first] = (object[first] ?? .null).setting(path.dropFirst(), to: new)
        return .object(object)
    }

    func setting(_ pointer: String, to new: JSONValue) -> JSONValue {
        setting(pointer.split(separator: "/").map(String.init)[...], to: new)
    }
}
