internal import BillingDomain
internal import Blobs
internal import Crypto
internal import EventLog
internal import Events
internal import HTTP
internal import JSON
internal import Web

/// What a receipt is put together from: the log, the evidence store, and where things stand. It remembers what was taken, so that all of it
/// comes into the file.
struct ReceiptArchive {
    let log: any LogClient
    let store: EvidenceStore
    let milestones: MilestoneReader
    private(set) var events: [Int: LoggedEvent] = [:]
    private(set) var files: [Digest: [UInt8]] = [:]

    /// Evidence that a receipt can do without comes with it up to so many bytes.
    static let largestFile = 1 << 20
    /// All of it together.
    static let largestFiles = 8 << 20

    init(log: any LogClient, store: EvidenceStore, milestones: MilestoneReader) {
        self.log = log
        self.store = store
        self.milestones = milestones
    }

    /// An event as the log has it.
    mutating func event(_ position: Int) async throws -> LoggedEvent {
        if let event = events[position] { return event }
        guard events.count < Receipt.maximumEvents * 4 else {
            throw Problem(.unprocessable, "more than \(Receipt.maximumEvents * 4) events would have to be read for this receipt")
        }
        guard let event = try await log.read(from: UInt64(position), limit: 1, wait: nil).events.first, event.position == position else {
            throw Problem(.unavailable, "the log has no event at \(position) now", headers: ["Retry-After": "1"])
        }
        events[position] = event
        return event
    }

    /// What an event says about itself.
    mutating func header(_ position: Int) async throws -> EventHeader { try EventHeader(trusted: try await event(position).bytes) }

    /// An event's data.
    mutating func data<Data: EventData>(_ type: Data.Type, _ position: Int) async throws -> Data {
        let bytes = try await event(position).bytes
        let header = try EventHeader(trusted: bytes)
        guard header.type == Data.type else { throw Problem(.internal, "the event at \(position) is \(header.type), not \(Data.type)") }
        return try Data(try JSON.parse(Array(bytes[header.data])).object())
    }

    /// The entries of a list that the receipt cannot do without.
    mutating func entries<Entry: EventPart>(_ list: EvidenceList<Entry>) async throws -> [Entry] {
        guard case .evidence(let digest, _) = list else {
            if case .entries(let entries) = list { return entries }
            return []
        }
        let bytes = try await evidence(digest)
        files[digest] = bytes
        return try EvidenceList<Entry>.decode(bytes)
    }

    /// The entries of a list that comes with the receipt where it is not too long; nil where that cannot be had.
    mutating func shortEntries<Entry: EventPart>(_ list: EvidenceList<Entry>) async throws -> [Entry]? {
        guard case .evidence(let digest, _) = list else { return try await entries(list) }
        return try await file(digest).map { try EvidenceList<Entry>.decode($0) }
    }

    /// A file that comes with the receipt where it is not too long; nil where that cannot be had.
    mutating func file(_ digest: Digest) async throws -> [UInt8]? {
        if let bytes = files[digest] { return bytes }
        guard let bytes = try? await store.bytes(digest), bytes.count <= Self.largestFile,
            files.values.reduce(bytes.count, { $0 + $1.count }) <= Self.largestFiles
        else { return nil }
        files[digest] = bytes
        return bytes
    }

    /// Evidence that does not come with the receipt.
    func evidence(_ digest: Digest) async throws -> [UInt8] {
        do { return try await store.bytes(digest) } catch let error as BlobError {
            throw Problem(.unavailable, "evidence can't be read: \(error)", headers: ["Retry-After": "5"])
        }
    }
}
