/// Why bytes are not an event, or not one that may stand where it was put.
public struct EventError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault it is; more kinds may come.
    public enum Kind: String, Sendable {
        /// Above ``Event/maximumBytes``.
        case tooLarge = "too-large"
        /// Not canonical JSON (RFC 8785), or holds a fraction.
        case notCanonical = "not-canonical"
        /// A field is missing, unknown or not of its form.
        case malformed
        /// The id is not the one that cause, type and ordinal make.
        case wrongID = "wrong-id"
        /// The catalogue has no such type.
        case unknownType = "unknown-type"
        /// The catalogue has the type, but not in this version.
        case unknownVersion = "unknown-version"
        /// The type's noun or the stream's kind belongs to another service.
        case foreignNamespace = "foreign-namespace"
        /// The time is too far from the ledger's clock, or not that of the event reacted to.
        case wrongTime = "wrong-time"
        /// The events of one append do not share one cause.
        case mixedCause = "mixed-cause"
    }

    /// What kind of fault.
    public let kind: Kind
    /// The field at fault, as a JSON pointer; empty for the whole event.
    public let field: String
    /// What is wrong, for a person.
    public let reason: String

    /// Names the fault.
    public init(_ kind: Kind, field: String = "", _ reason: String) {
        self.kind = kind
        self.field = field
        self.reason = reason
    }

    /// The fault in one line.
    public var description: String { field.isEmpty ? reason : "\(field): \(reason)" }
}
