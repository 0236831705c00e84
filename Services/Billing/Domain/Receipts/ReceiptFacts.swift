internal import Crypto
internal import EventLog
public import Events
internal import JSON
internal import Money

/// A receipt's events and evidence, to be looked up by those who check it.
struct ReceiptFacts {
    private let events: [Int: (header: EventHeader, data: JSONValue)]
    private let files: [Digest: [UInt8]]

    /// Takes events that were proven to be on the log.
    init(_ receipt: Receipt) throws(ReceiptFault) {
        var events: [Int: (header: EventHeader, data: JSONValue)] = [:]
        for event in receipt.events {
            do {
                let header = try EventHeader(parsing: event.bytes)
                events[event.position] = (header, try JSON.parse(Array(event.bytes[header.data])))
            } catch { throw ReceiptFault(.event, "what stands at \(event.position) is no event: \(error)") }
        }
        self.events = events
        files = Dictionary(receipt.evidence.map { (SHA256.hash($0), $0) }) { first, _ in first }
    }

    /// An event that must be there.
    func header(_ position: Int) throws(ReceiptFault) -> EventHeader {
        guard let found = events[position] else { throw ReceiptFault(.event, "the event at \(position) is not in the receipt") }
        return found.header
    }

    /// The data of an event that must be there and of this type.
    func data<Data: EventData>(_ type: Data.Type, _ position: Int) throws(ReceiptFault) -> Data {
        guard let found = events[position] else { throw ReceiptFault(.event, "the event at \(position) is not in the receipt") }
        guard found.header.type == Data.type else {
            throw ReceiptFault(.event, "the event at \(position) is \(found.header.type), not \(Data.type)")
        }
        do { return try Data(try found.data.object()) } catch {
            throw ReceiptFault(.event, "the event at \(position) cannot be read: \(error)")
        }
    }

    /// The entries of a list that must be there.
    func entries<Entry: EventPart>(_ list: EvidenceList<Entry>) throws(ReceiptFault) -> [Entry] {
        guard let entries = try entriesIfThere(list) else {
            throw ReceiptFault(.evidence, "a list that an event names is not in the receipt")
        }
        return entries
    }

    /// The entries of a list, where they are at hand.
    func entriesIfThere<Entry: EventPart>(_ list: EvidenceList<Entry>) throws(ReceiptFault) -> [Entry]? {
        switch list {
        case .entries(let entries): return entries
        case .evidence(let digest, let count):
            guard let bytes = files[digest] else { return nil }
            guard let entries = try? EvidenceList<Entry>.decode(bytes), entries.count == count else {
                throw ReceiptFault(.evidence, "\(digest.prefixed) is not the list of \(count) entries that its event names")
            }
            return entries
        }
    }

    /// The attribution's statement, where it is at hand.
    func statement(_ digest: Digest) throws(ReceiptFault) -> AttributionNames? {
        guard let bytes = files[digest] else { return nil }
        return try AttributionNames(bytes)
    }

    /// What a list of entries does to each account.
    func sums(_ list: EvidenceList<Posting>) throws(ReceiptFault) -> [AccountID: Int128] {
        var sums: [AccountID: Int128] = [:]
        for posting in try entries(list) { sums[posting.account, default: 0] &+= posting.amount.units }
        return sums
    }
}

/// What a receipt needs of an attribution's evidence: which snapshots were searched, and which items it names.
public struct AttributionNames: Sendable {
    /// The snapshots that were searched.
    public private(set) var snapshots: [SnapshotReference] = []
    /// Items that spans of the answer come from, by the owner who earns.
    public private(set) var spans: [(item: String, owner: String)] = []
    /// Items whose passages the answer used, by the owner who earns.
    public private(set) var passages: [(item: String, owner: String)] = []

    /// The items that it names so.
    func items(_ named: ReceiptSettlement.Source.Named) -> [(item: String, owner: String)] {
        switch named {
        case .spans: spans
        case .passages: passages
        case .owner: []
        }
    }

    /// Reads an attribution's statement.
    public init(_ bytes: [UInt8]) throws(ReceiptFault) {
        do {
            let value = try JSON.parse(bytes, limits: JSONLimits(bytes: Receipt.maximumBytes, items: 4_000_000))
            for source in value["sources"]?.arrayValue ?? [] {
                snapshots.append(try SnapshotReference(try source.object().object("snapshot")))
            }
            for span in value["computed"]?["spans"]?.arrayValue ?? [] {
                for earner in span["earners"]?.arrayValue ?? [] { spans.append(try Self.named(earner)) }
            }
            for passage in value["computed"]?["passages"]?.arrayValue ?? [] { passages.append(try Self.named(passage)) }
        } catch { throw ReceiptFault(.evidence, "the attribution's evidence cannot be read: \(error)") }
    }

    private static func named(_ value: JSONValue) throws -> (item: String, owner: String) {
        let fields = try value.object()
        return (try fields.string("item"), try fields.string("owner"))
    }
}
