public import Crypto

/// Where a whole log can be read from: a folder in the C2SP tlog-tiles layout, or a server that has one.
public protocol LogSource: TileSource {
    /// What to call it in messages.
    var name: String { get }

    /// The newest checkpoint's note, not verified.
    func checkpoint() async throws -> String

    /// The entries of a level-0 tile, as they are served.
    /// - Throws: ``LogSourceError/missing(path:source:)`` when they are not there.
    func bundle(of tile: Tile) async throws -> [UInt8]

    /// The verifier keys that the source itself names. They prove nothing to whoever did not get them elsewhere too.
    func pinnedKeys() async throws -> [VerifierKey]

    /// The words of the log's keys for those that followed them, oldest first, as the source tells them; not verified.
    func rotations() async throws -> [LogRotation]

    /// The sizes of earlier checkpoints that were kept beside the log, ascending.
    func keptSizes() async throws -> [UInt64]

    /// The note of a kept checkpoint.
    func keptCheckpoint(_ size: UInt64) async throws -> String

    /// A document of the evidence store that events name by its hash, as it is kept; nil when the source does not have it.
    func evidence(_ digest: Digest) async throws -> [UInt8]?

    /// Reads level-0 tiles with their entries and gives each to `body`, in an order of its own, on threads that may block
    /// and compute. Holds few bundles at once, whatever the number of tiles.
    /// - Returns: what `body` made of each, in the order of the tiles.
    func map<Result: Sendable>(_ tiles: [Tile], _ body: @escaping @Sendable (LeafTile) throws -> Result) async throws -> [Result]
}

extension LogSource {
    /// None, where nobody says otherwise.
    public func rotations() async throws -> [LogRotation] { [] }

    /// None, where nobody says otherwise.
    public func evidence(_ digest: Digest) async throws -> [UInt8]? { nil }
}

/// Where evidence lies beside a log, in a bundle as on a server: `evidence/<first two hex digits>/<all 64>`.
public enum EvidencePath {
    /// The path of a document.
    public static func of(_ digest: Digest) -> String { "evidence/\(digest.hex.prefix(2))/\(digest.hex)" }

    /// The most bytes of one document: 64 MiB.
    public static let largest = 64 << 20
}

/// A level-0 tile as a source has it.
public struct LeafTile: Sendable {
    /// Which tile; as wide as the tree asks for.
    public let tile: Tile
    /// Its entries, each with its length before it; nil when the source has none.
    public let entries: [UInt8]?
    /// Its hashes; nil when the source has none.
    public let hashes: [UInt8]?

    /// A tile from its parts.
    public init(tile: Tile, entries: [UInt8]?, hashes: [UInt8]?) {
        self.tile = tile
        self.entries = entries
        self.hashes = hashes
    }
}

/// Why a source did not give what it was asked for.
public enum LogSourceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The source answers, and does not have it.
    case missing(path: String, source: String)
    /// More bytes than such a resource can have.
    case oversized(path: String, limit: Int)
    /// Bytes that are not what they should be.
    case malformed(path: String, reason: String)
    /// The source can't be read at all.
    case unreachable(source: String, reason: String)

    /// The fault in one line.
    public var description: String {
        switch self {
        case .missing(let path, let source): "\(source) has no \(path)"
        case .oversized(let path, let limit): "\(path) has more than \(limit) bytes"
        case .malformed(let path, let reason): "\(path): \(reason)"
        case .unreachable(let source, let reason): "cannot read \(source): \(reason)"
        }
    }

    var isMissing: Bool { if case .missing = self { true } else { false } }
}

/// Bounds of what a source may hand out.
enum LogBounds {
    static let tile = Tile.fullWidth * Tile.hashBytes
    static let bundle = Tile.fullWidth * (65_535 + 2)
    static let keys = 64 << 10
    static let rotations = 1 << 20
    /// Kept checkpoints in one folder.
    static let kept = 1_000_000

    /// The beginning of a tile's hashes.
    static func cut(hashes: [UInt8], to tile: Tile) throws(LogSourceError) -> [UInt8] {
        let wanted = tile.width * Tile.hashBytes
        guard hashes.count >= wanted else {
            throw .malformed(path: tile.path, reason: "has \(hashes.count) bytes where \(wanted) belong")
        }
        return hashes.count == wanted ? hashes : Array(hashes[..<wanted])
    }

    /// The first `width` entries of a bundle that may hold more. A bundle that is cut short is given as it is: what is
    /// missing of it is for its reader to say.
    static func cut(bundle: [UInt8], to tile: Tile) -> [UInt8] {
        var at = 0
        for _ in 0..<tile.width {
            guard at + 2 <= bundle.count else { return bundle }
            at += 2 + Int(bundle[at]) << 8 + Int(bundle[at + 1])
            guard at <= bundle.count else { return bundle }
        }
        return Array(bundle[..<at])
    }

    static func text(_ bytes: [UInt8], path: String) throws(LogSourceError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed(path: path, reason: "is not UTF-8") }
        return text
    }

    /// Verifier keys, one a line; empty lines and those that begin with # are left out.
    static func keys(_ text: String, path: String) throws(LogSourceError) -> [VerifierKey] {
        var keys: [VerifierKey] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            do { keys.append(try VerifierKey(vkey: String(line))) } catch { throw .malformed(path: path, reason: "\(error)") }
        }
        return keys
    }

    static func rotations(_ bytes: [UInt8], path: String) throws(LogSourceError) -> [LogRotation] {
        let lines = try text(bytes, path: path)
        do { return try LogRotation.list(lines) } catch { throw .malformed(path: path, reason: "\(error)") }
    }
}
