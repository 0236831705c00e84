/// The value of a log field.
public enum LogValue: Sendable, Equatable {
    /// Text; cut to the logger's bound when it is written.
    case string(String)
    /// An integer.
    case integer(Int64)
    /// A number; NaN and infinities are written as text.
    case double(Double)
    /// A truth value.
    case boolean(Bool)

    /// Whatever describes itself, as text: an error, a path, an address.
    public static func describing(_ value: any Sendable) -> LogValue { .string(String(describing: value)) }
}

extension LogValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
{
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    /// Text held in a variable.
    public init(_ value: String) { self = .string(value) }
    /// An integer held in a variable.
    public init(_ value: some BinaryInteger) { self = .integer(Int64(clamping: value)) }
    /// A number held in a variable.
    public init(_ value: Double) { self = .double(value) }
    /// A truth value held in a variable.
    public init(_ value: Bool) { self = .boolean(value) }
}
