/// The header by which a caller reads its own writes.
///
/// The answer to a write carries the position of the last event it appended. A read that carries the same header waits until
/// the rows hold that event; its answer carries the position of the last event in the rows it was made from.
public struct AppliedPosition: Sendable, Hashable, CustomStringConvertible {
    /// `Ledger-Position`.
    public static let headerName = "Ledger-Position"

    /// A position on the log.
    public let value: UInt64

    /// A position on the log.
    public init(_ value: UInt64) { self.value = value }

    /// The last position of rows whose next one is `next`; nil where they hold no event.
    public init?(next: UInt64) {
        guard next > 0 else { return nil }
        value = next - 1
    }

    /// Reads a header's value: decimal digits, without sign, blanks or leading zeros, at most 2^63 − 1.
    public static func parse(_ text: String) -> AppliedPosition? {
        let digits = text.utf8
        guard let first = digits.first, digits.allSatisfy({ (48...57).contains($0) }), first != 48 || digits.count == 1,
            let value = Int64(text)
        else { return nil }
        return AppliedPosition(UInt64(value))
    }

    /// The header's value.
    public func format() -> String { String(value) }

    /// The header's value.
    public var description: String { format() }
}
