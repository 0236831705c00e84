public import Crypto
public import JSON

/// A part of an event's data, or an entry of a list in the evidence store.
public protocol EventPart: Sendable, Hashable {
    /// Reads it.
    init(_ fields: JSONFields) throws(JSONFieldError)
    /// As it is written.
    var json: JSONValue { get }
}

/// A list as an event has it: its entries when they are few, else the hash of the file in the evidence store that has them.
public enum EvidenceList<Entry: EventPart>: Sendable, Hashable {
    /// The entries, at most ``maximumEntries``.
    case entries([Entry])
    /// The SHA-256 of the canonical JSON array of the entries, and how many there are.
    case evidence(Digest, count: Int)

    /// More entries than this go to the evidence store.
    public static var maximumEntries: Int { 200 }

    /// How many entries there are.
    public var count: Int {
        switch self {
        case .entries(let entries): entries.count
        case .evidence(_, let count): count
        }
    }

    /// The form that a list of this length must take.
    /// - Returns: with the bytes to put into the evidence store when it is long.
    public static func of(_ entries: [Entry]) throws -> (list: EvidenceList, evidence: [UInt8]?) {
        guard entries.count > maximumEntries else { return (.entries(entries), nil) }
        let bytes = try encode(entries)
        return (.evidence(SHA256.hash(bytes), count: entries.count), bytes)
    }

    /// The canonical bytes of a list in the evidence store.
    public static func encode(_ entries: [Entry]) throws -> [UInt8] { try JSON.canonical(.array(entries.map(\.json))) }

    /// Reads a list from the evidence store.
    ///
    /// As long as evidence may be: its bytes bound how many values there are.
    public static func decode(_ bytes: [UInt8], atMost limit: Int = 5_000_000) throws -> [Entry] {
        try JSON.parse(bytes, limits: JSONLimits(bytes: 64 << 20, items: 64 << 20)).array(count: 0...limit).map {
            try Entry(try $0.object())
        }
    }

    /// Reads either form.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        if fields.optionalField("entries") != nil {
            try fields.refuseUnknown(keys: ["entries"])
            self = .entries(try fields.list("entries", atMost: Self.maximumEntries) { entry throws(JSONFieldError) in try Entry(entry) })
        } else {
            try fields.refuseUnknown(keys: ["evidence", "count"])
            self = .evidence(try fields.digest("evidence"), count: try fields.count("count"))
        }
    }

    /// As it stands in an event.
    public var json: JSONValue {
        switch self {
        case .entries(let entries): ["entries": .array(entries.map(\.json))]
        case .evidence(let digest, let count): ["count": .count(count), "evidence": .digest(digest)]
        }
    }
}
