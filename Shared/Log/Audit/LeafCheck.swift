internal import Crypto
internal import Events

/// What the entries of a log must be.
public enum EntryRule: Sendable {
    /// Events of ours, by form, header and id.
    case events
    /// Any bytes: for logs that hold something else.
    case anything
}

/// What the check of one level-0 tile found. Tiles are checked apart from each other, on any thread; what ties them
/// together (the tree, and appends that span two tiles) is ``LogSequence``'s.
struct LeafOutcome: Sendable {
    /// What is wrong at a place in the tile.
    struct Fault: Sendable {
        enum Kind: Sendable {
            /// The bytes end here, or go on behind the last entry.
            case cut(String)
            /// The tile of hashes is not there.
            case noTile
            /// The entry's hash is not the tile's.
            case differs(LeafTile)
            /// The entry is no event of ours.
            case notEvent(String)
        }
        let index: Int
        let kind: Kind
    }

    let tile: Tile
    /// The hash of each entry that could be read.
    var leaves: [Digest] = []
    /// Bytes of entries.
    var bytes = 0
    /// The first fault.
    var fault: Fault?
    /// The first event's place in its append.
    var first: AppendPlace?
    /// The last event's place in its append.
    var last: AppendPlace?
}

/// Checks one level-0 tile with its entries.
struct LeafCheck {
    let rule: EntryRule

    /// Computes; give it a thread that may.
    func check(_ leaf: LeafTile) -> LeafOutcome {
        var outcome = LeafOutcome(tile: leaf.tile)
        guard let entries = leaf.entries else {
            outcome.fault = .init(index: 0, kind: .cut("the events are not there"))
            return outcome
        }
        outcome.leaves.reserveCapacity(leaf.tile.width)
        var order = AppendOrder()
        outcome.fault = walk(entries, leaf, &order, &outcome)
        (outcome.first, outcome.last) = order.ends(in: entries.span)
        return outcome
    }

    /// Goes from entry to entry up to the first fault.
    private func walk(_ entries: [UInt8], _ leaf: LeafTile, _ order: inout AppendOrder, _ outcome: inout LeafOutcome) -> LeafOutcome.Fault?
    {
        let bytes = entries.span
        let hashes = leaf.hashes
        var at = 0
        for index in 0..<leaf.tile.width {
            guard at + 2 <= bytes.count else {
                return .init(index: index, kind: .cut(at == bytes.count ? "the events end here" : "the event's length is cut"))
            }
            let range = at + 2..<at + 2 + Int(bytes[at]) << 8 + Int(bytes[at + 1])
            guard range.upperBound <= bytes.count else {
                let over = range.upperBound - bytes.count
                return .init(index: index, kind: .cut("the event is cut: its length points \(over) bytes behind the end"))
            }
            let hash = SHA256.hash(prefix: 0, bytes.extracting(range))
            outcome.leaves.append(hash)
            outcome.bytes += range.count
            if let hashes, !Self.isHash(hash, at: index, of: hashes) {
                return .init(index: index, kind: .differs(leaf))
            }
            if rule == .events, let fault = order.check(range, of: bytes) {
                return .init(index: index, kind: .notEvent(fault))
            }
            at = range.upperBound
        }
        if hashes == nil { return .init(index: 0, kind: .noTile) }
        guard at < bytes.count else { return nil }
        return .init(index: leaf.tile.width, kind: .cut("\(bytes.count - at) bytes stand behind the last event"))
    }

    private static func isHash(_ hash: Digest, at index: Int, of hashes: [UInt8]) -> Bool {
        guard hashes.count >= (index + 1) * Tile.hashBytes else { return false }
        return hash.withUnsafeBytes { raw in
            hashes.withUnsafeBytes { $0[index * Tile.hashBytes..<(index + 1) * Tile.hashBytes].elementsEqual(raw) }
        }
    }
}
