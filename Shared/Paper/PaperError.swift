/// The drawing library could not make the file.
public struct PaperError: Error, Sendable, Equatable, CustomStringConvertible {
    /// In its words.
    public let description: String

    init(_ description: String) { self.description = description }
}
