/// Object identifiers of the built-in types (`pg_type.dat`), fixed for ever by the server.
enum TypeOID {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let unknown: UInt32 = 705
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let numeric: UInt32 = 1700
    static let void: UInt32 = 2278
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802

    static let boolArray: UInt32 = 1000
    static let byteaArray: UInt32 = 1001
    static let int2Array: UInt32 = 1005
    static let int4Array: UInt32 = 1007
    static let textArray: UInt32 = 1009
    static let varcharArray: UInt32 = 1015
    static let int8Array: UInt32 = 1016
    static let uuidArray: UInt32 = 2951

    /// Types below this are the server's own; from here on they are enums, domains and extensions of the database.
    static let firstUserDefined: UInt32 = 16384

    /// The element type of an array type that we can encode.
    static func element(of array: UInt32) -> UInt32? {
        switch array {
        case boolArray: bool
        case byteaArray: bytea
        case int2Array: int2
        case int4Array: int4
        case textArray: text
        case varcharArray: varchar
        case int8Array: int8
        case uuidArray: uuid
        default: nil
        }
    }

    /// The name by which an error speaks of the type.
    static func describe(_ oid: UInt32) -> String {
        switch oid {
        case bool: "boolean"
        case bytea: "bytea"
        case int8: "bigint"
        case int2: "smallint"
        case int4: "integer"
        case text: "text"
        case json: "json"
        case float4: "real"
        case float8: "double precision"
        case varchar: "varchar"
        case timestamp: "timestamp"
        case timestamptz: "timestamptz"
        case numeric: "numeric"
        case uuid: "uuid"
        case jsonb: "jsonb"
        case void: "void"
        default: element(of: oid).map { describe($0) + "[]" } ?? "the type with OID \(oid)"
        }
    }
}
