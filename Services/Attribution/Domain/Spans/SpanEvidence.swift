/// A span of an answer, and who has it.
public struct SpanEvidence: Sendable, Hashable {
    /// Where it begins in the answer, in words.
    public let start: Int
    /// Its length in words.
    public let length: Int
    /// Where it begins in the answer, in bytes.
    public let byteStart: Int
    /// Where it ends in the answer, in bytes.
    public let byteEnd: Int
    /// How often the corpus has it.
    public let occurrences: Int
    /// How many documents have it, where near-duplicates count as one and, from the rules 4 on, copies not at all; 0 when it occurs too
    /// often to look.
    public let documents: Int
    /// The words it is paid for: those that neither a longer span nor the prompt covers.
    public let paidTokens: Int
    /// Its owners, by name, each with its earliest document.
    public let earners: [SpanEarner]
}

/// An owner of a span.
public struct SpanEarner: Sendable, Hashable {
    /// The verified owner.
    public let owner: String
    /// The earliest of its items that have the span.
    public let item: String
}
