/// A value in a document that is not what it should be, in words for whoever sent it.
public struct JSONFieldError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The place as a JSON Pointer (RFC 6901); empty for the root.
    public let pointer: String
    /// What is wrong, as the end of a sentence that begins with the field: `must be a string, is an array`.
    public let reason: String

    /// A place and what is wrong there.
    public init(pointer: String, reason: String) {
        self.pointer = pointer
        self.reason = reason
    }

    /// The place and the reason.
    public var description: String { "\(pointer.isEmpty ? "the document" : pointer) \(reason)" }
}
