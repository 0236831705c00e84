/// A value on its way to or from the server, in PostgreSQL's terms.
///
/// A parameter is encoded for the type that the server inferred for it: `.int` goes into a `smallint`, an `integer`, a `bigint`
/// or a `numeric`, and one that does not fit is an error before anything is sent. `.text` goes into any type that has a text
/// form, such as an enum or an `inet`.
public enum PostgresValue: Sendable, Equatable {
    /// SQL NULL, of any type.
    case null
    /// `boolean`.
    case bool(Bool)
    /// `smallint`, `integer`, `bigint`, `oid`, `numeric`.
    case int(Int64)
    /// `double precision`, `real`.
    case double(Double)
    /// `text` and whatever reads a text form. It can't hold a NUL character.
    case text(String)
    /// `bytea`.
    case bytes([UInt8])
    /// `uuid`, 16 bytes in network order.
    case uuid([UInt8])
    /// `bigint[]`, `integer[]`, `smallint[]`.
    case int8Array([Int64])
    /// The same with NULL elements.
    case int8ArrayWithNulls([Int64?])
    /// `bytea[]`.
    case byteaArray([[UInt8]])
    /// `bytea[]` with NULL elements.
    case byteaArrayWithNulls([[UInt8]?])
    /// `text[]`, `varchar[]`.
    case textArray([String])
    /// `text[]` with NULL elements.
    case textArrayWithNulls([String?])
    /// `uuid[]`.
    case uuidArray([[UInt8]])
    /// `uuid[]` with NULL elements.
    case uuidArrayWithNulls([[UInt8]?])
    /// `boolean[]`.
    case boolArray([Bool])
    /// `timestamptz` or `timestamp`: microseconds since 1970-01-01T00:00:00Z. `Int64.max` and `Int64.min` stand for
    /// `infinity` and `-infinity`.
    case timestamp(Int64)
    /// `numeric` in its text form, such as `-12.50` or `NaN`.
    case numeric(String)
    /// `json` or `jsonb`, as UTF-8 text.
    case json([UInt8])

    /// A whole `numeric`, as amounts of money are kept.
    public static func numeric(_ value: Int128) -> PostgresValue { .numeric(String(value)) }
}

extension PostgresValue: ExpressibleByNilLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
    /// NULL.
    public init(nilLiteral: ()) { self = .null }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .int(value) }
    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}
