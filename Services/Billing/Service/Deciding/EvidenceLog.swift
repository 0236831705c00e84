internal import Blobs
internal import Crypto
internal import EventLog
internal import Events
internal import Glibc
internal import JSON

/// The log, with the lists that its events name by hash put at hand before the events are given out: who applies events cannot
/// wait for a store.
struct EvidenceLog: LogClient {
    let log: any LogClient
    let store: EvidenceStore
    let shelf: EvidenceShelf

    func append(_ request: AppendRequest) async throws -> Appended { try await log.append(request) }

    func append(all requests: [AppendRequest]) async -> [Result<Appended, any Error>] { await log.append(all: requests) }

    func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch {
        let batch = try await log.read(from: position, limit: limit, wait: wait)
        var fetched = 0
        for (place, event) in batch.events.enumerated() {
            guard let list = Self.longList(of: event) else { continue }
            fetched += try await fetch(list, event)
            // What was put there first must still be there when these are applied.
            if fetched > shelf.maximumBytes / 4 { return LogBatch(events: Array(batch.events[...place]), size: batch.size) }
        }
        return batch
    }

    func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] {
        try await log.read(stream: stream, from: version, limit: limit)
    }

    /// - Returns: how many bytes the list has.
    private func fetch(_ list: String, _ event: LoggedEvent) async throws -> Int {
        let header = try EventHeader(trusted: event.bytes)
        let data = try JSON.parse(Array(event.bytes[header.data]))
        guard let text = data[list]?["evidence"]?.stringValue, let digest = Digest(prefixed: text) else { return 0 }
        // Put there anew where it is already, so that it is not the next to go.
        let bytes: [UInt8]
        if let known = shelf.bytes(digest) { bytes = known } else { bytes = try await store.bytes(digest) }
        shelf.put(digest, bytes)
        return bytes.count
    }

    /// The member of an event's data that may be a list by its hash. Nearly always the list stands in the event, or there is none; to parse
    /// all of it would cost more than all else that a reader does with it.
    private static func longList(of event: LoggedEvent) -> String? {
        guard let type = EventHeader.typeBytes(trusted: event.bytes) else { return nil }
        let name = event.bytes[type]
        guard let list = marks.first(where: { $0.type.count == name.count && $0.type.elementsEqual(name) }) else { return nil }
        return isElsewhere(list.mark, in: event.bytes) ? list.name : nil
    }

    private static let marks = lists.map { type, name in
        (type: Array(type.utf8), name: name, mark: Array("\"\(name)\":{\"count\":".utf8))
    }

    /// Whether an event's canonical bytes may have a list by its hash: `"postings":{"count":…`. It is looked for by its brace, of which there
    /// are few.
    private static func isElsewhere(_ mark: [UInt8], in data: [UInt8]) -> Bool {
        mark.withUnsafeBytes { mark in
            data.withUnsafeBytes { data in
                guard let brace = mark.firstIndex(of: UInt8(ascii: "{")), let start = data.baseAddress, let wanted = mark.baseAddress,
                    data.count >= mark.count
                else { return false }
                var at = brace
                while at + mark.count - brace <= data.count, let found = memchr(start + at, Int32(UInt8(ascii: "{")), data.count - at) {
                    let place = UnsafeRawPointer(found) - start
                    guard place + mark.count - brace <= data.count else { return false }
                    if memcmp(start + place - brace, wanted, mark.count) == 0 { return true }
                    at = place + 1
                }
                return false
            }
        }
    }

    /// The member that may be a long list, of each type that has one.
    private static let lists: [String: String] = [
        AttributionComputed.type: "shares", AttributionCorrected.type: "shares", JobCompleted.type: "shares",
        JournalPosted.type: "postings", SettlementPosted.type: "postings", SettlementCorrected.type: "postings",
        SettlementReleased.type: "postings", RefundPosted.type: "postings", DisputeResolved.type: "postings",
        StakeRewarded.type: "postings", PayoutEpochClosed.type: "postings",
    ]
}
