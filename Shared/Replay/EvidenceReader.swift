public import Crypto
public import Events
internal import Synchronization
internal import Threads

/// Evidence by its hash, as whoever replays a log has it. Calls may wait for a disk or a server: they are made on threads of their own.
public protocol EvidenceReader: Sendable {
    /// The bytes under a hash, as they are kept, not compared with it; nil where there are none.
    /// - Throws: when the place cannot be read at all.
    func find(_ digest: Digest) throws -> [UInt8]?
}

/// Why evidence cannot be used.
public enum EvidenceTrouble: Error, Sendable, Hashable, CustomStringConvertible {
    /// It is not where the others are.
    case absent(Digest)
    /// What lies under its name is something else.
    case altered(Digest)
    /// It is what was hashed, and not what it should be.
    case malformed(Digest, reason: String)

    /// The trouble in one line.
    public var description: String {
        switch self {
        case .absent(let digest): "the evidence \(digest.prefixed) is not there"
        case .altered(let digest): "what is kept as the evidence \(digest.prefixed) has another hash"
        case .malformed(let digest, let reason): "the evidence \(digest.prefixed) \(reason)"
        }
    }
}

/// Evidence, read and compared with its hash; what was read lately is kept at hand.
public final class EvidenceShelf: Sendable {
    private let reader: any EvidenceReader
    private let limit: Int
    private let recent = Lock(Recent())
    /// Lists that were read lately, as they were read.
    private let lists = ReplayCache<Digest, any Sendable>(limit: 16)

    private struct Recent {
        var bytes: [Digest: [UInt8]] = [:]
        var order: [Digest] = []
        var size = 0
    }

    /// - Parameter limit: bytes that are kept at hand.
    public init(_ reader: any EvidenceReader, limit: Int = 64 << 20) {
        self.reader = reader
        self.limit = limit
    }

    /// The bytes behind a hash.
    /// - Throws: ``EvidenceTrouble``, or what the reader throws.
    public func bytes(_ digest: Digest) throws -> [UInt8] {
        if let bytes = recent.withLock({ $0.bytes[digest] }) { return bytes }
        guard let bytes = try reader.find(digest) else { throw EvidenceTrouble.absent(digest) }
        guard SHA256.hash(bytes) == digest else { throw EvidenceTrouble.altered(digest) }
        recent.withLock { recent in
            guard bytes.count <= limit / 4, recent.bytes.updateValue(bytes, forKey: digest) == nil else { return }
            recent.order.append(digest)
            recent.size += bytes.count
            while recent.size > limit, !recent.order.isEmpty {
                recent.size -= recent.bytes.removeValue(forKey: recent.order.removeFirst())?.count ?? 0
            }
        }
        return bytes
    }

    /// The entries of a list, wherever they are.
    public func entries<Entry: EventPart>(_ list: EvidenceList<Entry>) throws -> [Entry] {
        switch list {
        case .entries(let entries): return entries
        case .evidence(let digest, let count):
            let entries = try self.list(digest, of: Entry.self)
            guard entries.count == count else {
                throw EvidenceTrouble.malformed(digest, reason: "has \(entries.count) entries, and its event says \(count)")
            }
            return entries
        }
    }

    /// The entries of a list that an event names by hash alone.
    public func list<Entry: EventPart>(_ digest: Digest, of: Entry.Type) throws -> [Entry] {
        if let known = lists[digest] as? [Entry] { return known }
        let bytes = try bytes(digest)
        do {
            let entries = try EvidenceList<Entry>.decode(bytes)
            lists[digest] = entries
            return entries
        } catch {
            throw EvidenceTrouble.malformed(digest, reason: "is no list of what it should be: \(error)")
        }
    }
}

/// Evidence in memory.
public struct MemoryEvidence: EvidenceReader {
    /// By hash.
    public var documents: [Digest: [UInt8]]

    /// These documents.
    public init(_ documents: [Digest: [UInt8]] = [:]) { self.documents = documents }

    /// Looks it up.
    public func find(_ digest: Digest) -> [UInt8]? { documents[digest] }
}
