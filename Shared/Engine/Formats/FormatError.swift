/// A file that cannot be used as it is: which file, which place in it, why, and what would help.
public struct FormatError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The sort of fault, for callers that decide by it.
    public enum Kind: Sendable, Hashable {
        /// The file, or a part of it that must be there, is missing.
        case missing
        /// The system refused to read or write the file.
        case system
        /// The bytes break the rules of their format.
        case malformed
        /// Sound, but a variant that the engine does not run.
        case unsupported
        /// Beyond a limit of size, count or depth.
        case tooLarge
        /// Sound by itself, but not fitting what it is used with.
        case mismatch
    }

    /// The sort of fault.
    public let kind: Kind
    /// The file's path or name; what was read when it was no file.
    public let file: String
    /// The place in the file: a JSON pointer, a tensor's name, a line. May be empty.
    public let place: String
    /// What is wrong and what would help, as a sentence without its beginning and full stop.
    public let reason: String

    /// A fault at a place.
    public init(_ kind: Kind, file: String, place: String = "", _ reason: String) {
        self.kind = kind
        self.file = file
        self.place = place
        self.reason = reason
    }

    /// One line that names the file, the place and the reason.
    public var description: String { place.isEmpty ? "\(file): \(reason)" : "\(file), \(clipped(place)): \(reason)" }
}

/// What strangers wrote, short enough for a message and without control characters.
func clipped(_ text: String, to limit: Int = 200) -> String {
    let safe = String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
    return text.unicodeScalars.count > limit ? safe + "…" : safe
}
