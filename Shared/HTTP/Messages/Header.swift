/// One header field: a name, compared without regard to case, and its value.
public struct Header: Sendable, Hashable {
    /// The name as it was written.
    public let name: String
    /// The value without the white space around it.
    public let value: String

    /// Makes a field. Nothing is checked here: what would split a message is refused where the message is written.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
