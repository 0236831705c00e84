/// Content of an owner that is to be sealed.
public struct SealedItem: Sendable {
    /// The item's id: the salt of its commitment comes from it.
    public let id: String
    /// The plain content.
    public let content: [UInt8]

    /// Pairs them.
    public init(id: String, content: [UInt8]) {
        self.id = id
        self.content = content
    }
}
