public import JSON

/// The typed data of one event type.
///
/// What is written can be read for ever: a field is never removed or given another meaning; a new one is optional, or comes
/// with a new version of the type.
public protocol EventData: Sendable {
    /// `<noun>.<past verb>`.
    static var type: String { get }

    /// Reads it. Fields that are not known are refused, so that a misspelt one never passes unseen.
    init(_ fields: JSONFields) throws(JSONFieldError)

    /// As it stands in an event.
    var json: JSONValue { get }
}
