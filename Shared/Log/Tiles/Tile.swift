/// A tile of the C2SP tlog-tiles layout: up to 256 hashes of one level, where level L's hashes are roots of 256^L leaves.
public struct Tile: Sendable, Hashable {
    /// Hashes in a full tile.
    public static let fullWidth = 256
    /// Bytes of a hash.
    public static let hashBytes = 32
    /// log2 of ``fullWidth``.
    public static let height = 8

    /// From 0, the leaves.
    public let level: Int
    /// From 0, left to right.
    public let index: UInt64
    /// 1 to 256 hashes.
    public let width: Int

    /// Names a tile; a width of 256 is a full one.
    public init(level: Int, index: UInt64, width: Int = Tile.fullWidth) {
        self.level = level
        self.index = index
        self.width = width
    }

    /// Whether it has all its hashes and so will never change.
    public var isFull: Bool { width == Tile.fullWidth }

    /// How many hashes of `level` a tree of `size` leaves has: floor(size / 256^level).
    public static func count(level: Int, size: UInt64) -> UInt64 {
        let shift = UInt64(level * height)
        return shift >= 64 ? 0 : size >> shift
    }

    /// The tile of this level and index in a tree of `size` leaves, or nil when the tree does not reach it.
    public static func at(level: Int, index: UInt64, size: UInt64) -> Tile? {
        let count = count(level: level, size: size)
        // Compared before it is multiplied: an index that no tree has would overflow into one that some tree has.
        guard index <= count >> UInt64(height) else { return nil }
        let start = index << UInt64(height)
        guard start < count else { return nil }
        return Tile(level: level, index: index, width: Int(min(count - start, UInt64(fullWidth))))
    }

    /// The path below the log's prefix: `tile/<level>/<index>[.p/<width>]`.
    public var path: String { "tile/\(level)/" + Tile.indexPath(index) + suffix }

    /// The path of the entry bundle with the same index: `tile/entries/<index>[.p/<width>]`.
    public var bundlePath: String { "tile/entries/" + Tile.indexPath(index) + suffix }

    private var suffix: String { isFull ? "" : ".p/\(width)" }

    /// The index in groups of three digits, all but the last with an `x` before them: 1234067 → `x001/x234/067`.
    static func indexPath(_ index: UInt64) -> String {
        func three(_ value: UInt64) -> String {
            let text = String(value)
            return String(repeating: "0", count: 3 - text.count) + text
        }
        var path = three(index % 1000)
        var rest = index / 1000
        while rest > 0 {
            path = "x" + three(rest % 1000) + "/" + path
            rest /= 1000
        }
        return path
    }

    /// What stands after the level or `entries`: the index and the width; nil unless it is exactly as ``path`` writes it.
    public static func parse(indexPath parts: [Substring]) -> (index: UInt64, width: Int)? {
        var parts = parts
        var width = fullWidth
        if parts.count >= 2, parts[parts.count - 2].hasSuffix(".p") {
            guard let last = parts.popLast(), let parsed = Int(last), parsed >= 1, parsed < fullWidth, String(parsed) == last,
                let group = parts.popLast()
            else { return nil }
            width = parsed
            parts.append(group.dropLast(2))
        }
        guard !parts.isEmpty, parts.count <= 6 else { return nil }
        var index: UInt64 = 0
        for (place, part) in parts.enumerated() {
            let isLast = place == parts.count - 1
            guard isLast || part.first == "x" else { return nil }
            let digits = isLast ? part : part.dropFirst()
            guard digits.utf8.count == 3, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = UInt64(digits) else {
                return nil
            }
            index = index * 1000 + value
        }
        guard Tile.indexPath(index) == parts.joined(separator: "/") else { return nil }
        return (index, width)
    }
}
