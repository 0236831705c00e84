/// How a parameter travels.
enum WireFormat: Int32 {
    case text = 0
    case binary = 1
}

/// Why a value can't be sent as the type the server expects.
struct EncodingFailure: Error {
    var code: SQLState
    var reason: String
}

/// Values in the binary forms of PostgreSQL's `…_send` and `…_recv` functions.
enum ValueEncoder {
    /// Appends a value that is not NULL.
    static func append(_ value: PostgresValue, as type: UInt32, to out: inout [UInt8]) throws(EncodingFailure) -> WireFormat {
        switch value {
        case .null: return .binary
        case .bool(let value) where type == TypeOID.bool: out.append(value ? 1 : 0)
        case .int(let value): return try append(value, as: type, to: &out)
        case .double(let value): return try append(value, as: type, to: &out)
        case .text(let value): return try append(value, as: type, to: &out)
        case .bytes(let value) where type == TypeOID.bytea: out += value
        case .uuid(let value) where type == TypeOID.uuid: try append(uuid: value, to: &out)
        case .timestamp(let value) where type == TypeOID.timestamptz || type == TypeOID.timestamp:
            guard let moment = Timestamp.toServer(value) else { throw outOfRange(value, type) }
            out.append(bigEndian: moment)
        case .numeric(let value) where type == TypeOID.numeric:
            guard Numeric.append(value, to: &out) else {
                throw EncodingFailure(code: .invalidTextRepresentation, reason: "not a decimal number")
            }
        case .json(let value) where type == TypeOID.json || type == TypeOID.jsonb || type == TypeOID.text:
            // jsonb_send puts its format's version, 1, before the text.
            if type == TypeOID.jsonb { out.append(1) }
            out += value
        case .int8Array, .int8ArrayWithNulls, .byteaArray, .byteaArrayWithNulls, .textArray, .textArrayWithNulls, .uuidArray,
            .uuidArrayWithNulls, .boolArray:
            try appendArray(value, as: type, to: &out)
        case .bool(let value) where type >= TypeOID.firstUserDefined: return try append(value ? "t" : "f", as: type, to: &out)
        case .numeric(let value): return try append(value, as: type, to: &out)
        default: throw mismatch(value, type)
        }
        return .binary
    }

    private static func append(_ value: Int64, as type: UInt32, to out: inout [UInt8]) throws(EncodingFailure) -> WireFormat {
        switch type {
        case TypeOID.int8: out.append(bigEndian: value)
        case TypeOID.int4:
            guard let value = Int32(exactly: value) else { throw outOfRange(value, type) }
            out.append(bigEndian: value)
        case TypeOID.int2:
            guard let value = Int16(exactly: value) else { throw outOfRange(value, type) }
            out.append(bigEndian: value)
        case TypeOID.oid:
            guard let value = UInt32(exactly: value) else { throw outOfRange(value, type) }
            out.append(bigEndian: value)
        case TypeOID.numeric: _ = Numeric.append(String(value), to: &out)
        case TypeOID.float8:
            guard let value = Double(exactly: value) else { throw outOfRange(value, type) }
            out.append(bigEndian: value.bitPattern)
        case TypeOID.bool, TypeOID.bytea, TypeOID.uuid, TypeOID.json, TypeOID.jsonb, TypeOID.text, TypeOID.varchar,
            TypeOID.timestamp, TypeOID.timestamptz:
            throw mismatch(.int(value), type)
        default: return try append(String(value), as: type, to: &out)
        }
        return .binary
    }

    private static func append(_ value: Double, as type: UInt32, to out: inout [UInt8]) throws(EncodingFailure) -> WireFormat {
        switch type {
        case TypeOID.float8: out.append(bigEndian: value.bitPattern)
        case TypeOID.float4: out.append(bigEndian: Float(value).bitPattern)
        case TypeOID.firstUserDefined...: return try append("\(value)", as: type, to: &out)
        // No float becomes a numeric or an integer unnoticed.
        default: throw mismatch(.double(value), type)
        }
        return .binary
    }

    private static func append(_ value: String, as type: UInt32, to out: inout [UInt8]) throws(EncodingFailure) -> WireFormat {
        if value.utf8.contains(0) {
            throw EncodingFailure(code: .characterNotInRepertoire, reason: "a PostgreSQL text can't hold a NUL character")
        }
        // A text in a bytea's text form would be read as an escape sequence: that is never what was meant.
        if type == TypeOID.bytea { throw mismatch(.text(value), type) }
        out += value.utf8
        return .text
    }

    static func append(uuid value: [UInt8], to out: inout [UInt8]) throws(EncodingFailure) {
        guard value.count == 16 else {
            throw EncodingFailure(code: .invalidTextRepresentation, reason: "a UUID has 16 bytes, not \(value.count)")
        }
        out += value
    }

    private static func outOfRange(_ value: Int64, _ type: UInt32) -> EncodingFailure {
        EncodingFailure(code: .numericValueOutOfRange, reason: "\(value) does not fit \(TypeOID.describe(type))")
    }

    private static func mismatch(_ value: PostgresValue, _ type: UInt32) -> EncodingFailure {
        // Only the case's name: a value may be a secret.
        let given = Mirror(reflecting: value).children.first?.label ?? "null"
        return EncodingFailure(code: .datatypeMismatch, reason: "the server expects \(TypeOID.describe(type)), .\(given) was given")
    }

    // MARK: Arrays (array_send: dimensions, NULL flag, element type; then per dimension its length and first index)

    private static func appendArray(_ value: PostgresValue, as type: UInt32, to out: inout [UInt8]) throws(EncodingFailure) {
        guard let element = TypeOID.element(of: type) else { throw mismatch(value, type) }
        switch value {
        case .int8Array(let items) where [TypeOID.int8, TypeOID.int4, TypeOID.int2].contains(element):
            try appendElements(items, element, &out) { item, out throws(EncodingFailure) in _ = try append(item, as: element, to: &out) }
        case .int8ArrayWithNulls(let items) where [TypeOID.int8, TypeOID.int4, TypeOID.int2].contains(element):
            try appendElements(items, element, &out) { item, out throws(EncodingFailure) in _ = try append(item, as: element, to: &out) }
        case .byteaArray(let items) where element == TypeOID.bytea:
            try appendElements(items, element, &out) { item, out throws(EncodingFailure) in out += item }
        case .byteaArrayWithNulls(let items) where element == TypeOID.bytea:
            try appendElements(items, element, &out) { item, out throws(EncodingFailure) in out += item }
        case .textArray(let items) where element == TypeOID.text || element == TypeOID.varchar:
            try appendElements(items, element, &out) { item, out throws(EncodingFailure) in _ = try append(item, as: element, to: &out) }
        case .textArrayWithNulls(let items) where element == TypeOID.text || element == TypeOID.varchar:
            try appendElements(items, element, &out) { item, out throws(EncodingFailure) in _ = try append(item, as: element, to: &out) }
        case .uuidArray(let items) where element == TypeOID.uuid:
            try appendElements(items, element, &out) { item, out throws(EncodingFailure) in try append(uuid: item, to: &out) }
        case .uuidArrayWithNulls(let items) where element == TypeOID.uuid:
            try appendElements(items, element, &out) { item, out throws(EncodingFailure) in try append(uuid: item, to: &out) }
        case .boolArray(let items) where element == TypeOID.bool:
            try appendElements(items, element, &out) { item, out throws(EncodingFailure) in out.append(item ? 1 : 0) }
        default: throw mismatch(value, type)
        }
    }

    private static func appendElements<Item>(
        _ items: [Item?], _ element: UInt32, _ out: inout [UInt8],
        _ append: (Item, inout [UInt8]) throws(EncodingFailure) -> Void
    ) throws(EncodingFailure) {
        guard let count = Int32(exactly: items.count) else {
            throw EncodingFailure(code: .numericValueOutOfRange, reason: "too many elements")
        }
        out.append(bigEndian: Int32(items.isEmpty ? 0 : 1))
        out.append(bigEndian: Int32(items.contains { $0 == nil } ? 1 : 0))
        out.append(bigEndian: element)
        if items.isEmpty { return }
        out.append(bigEndian: count)
        out.append(bigEndian: Int32(1))
        for item in items {
            guard let item else {
                out.append(bigEndian: Int32(-1))
                continue
            }
            let length = out.count
            out.append(bigEndian: Int32(0))
            try append(item, &out)
            let size = UInt32(truncatingIfNeeded: out.count - length - 4)
            for byte in 0..<4 { out[length + byte] = UInt8(truncatingIfNeeded: size >> (24 - 8 * UInt32(byte))) }
        }
    }
}
