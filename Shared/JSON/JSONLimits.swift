/// How much a document may ask of its reader. What exceeds a limit is refused before it costs memory.
public struct JSONLimits: Sendable, Hashable {
    /// How deep objects and arrays may nest; never more than 256, for the reader's own stack.
    public let depth: Int
    /// How many bytes the document may have.
    public let bytes: Int
    /// How many values (members, elements and the root together) it may hold.
    public let items: Int

    /// The limits; by default 32 deep, 1 MiB, 100,000 values.
    public init(depth: Int = 32, bytes: Int = 1 << 20, items: Int = 100_000) {
        self.depth = min(depth, 256)
        self.bytes = bytes
        self.items = items
    }

    /// 32 deep, 1 MiB, 100,000 values.
    public static let standard = JSONLimits()
}
