/// Binary forms back into values.
enum ValueDecoder {
    /// Whether a type's binary form is text.
    static func isText(_ type: UInt32) -> Bool {
        switch type {
        case TypeOID.text, TypeOID.varchar, TypeOID.bpchar, TypeOID.name, TypeOID.unknown, TypeOID.char, TypeOID.json, TypeOID.jsonb: true
        // Enums and domains over text.
        default: type >= TypeOID.firstUserDefined
        }
    }

    /// The text in a cell, nil when the type is none.
    static func textBytes(_ type: UInt32, _ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard isText(type) else { return nil }
        guard type == TypeOID.jsonb else { return bytes }
        guard bytes.first == 1 else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    }

    /// The value of a cell that is not NULL; nil for malformed bytes.
    static func value(_ type: UInt32, _ bytes: UnsafeRawBufferPointer) -> PostgresValue? {
        switch type {
        case TypeOID.bool: bytes.count == 1 ? .bool(bytes[0] != 0) : nil
        case TypeOID.int8, TypeOID.int4, TypeOID.int2, TypeOID.oid: integer(type, bytes).map { .int($0) }
        case TypeOID.float8: bytes.count == 8 ? .double(Double(bitPattern: bytes.load(bigEndian: UInt64.self))) : nil
        case TypeOID.float4: bytes.count == 4 ? .double(Double(Float(bitPattern: bytes.load(bigEndian: UInt32.self)))) : nil
        case TypeOID.json, TypeOID.jsonb: textBytes(type, bytes).map { .json([UInt8]($0)) }
        case TypeOID.text, TypeOID.varchar, TypeOID.bpchar, TypeOID.name, TypeOID.unknown: .text(String(decoding: bytes, as: UTF8.self))
        case TypeOID.uuid: bytes.count == 16 ? .uuid([UInt8](bytes)) : nil
        case TypeOID.timestamptz, TypeOID.timestamp:
            bytes.count == 8 ? Timestamp.fromServer(bytes.load(bigEndian: Int64.self)).map { .timestamp($0) } : nil
        case TypeOID.numeric: Numeric.text(bytes).map { .numeric($0) }
        case TypeOID.boolArray:
            array(bytes) { _, item in item.count == 1 ? item[0] != 0 : nil }.flatMap { items in
                let present = items.compactMap { $0 }
                return present.count == items.count ? .boolArray(present) : nil
            }
        case TypeOID.int8Array, TypeOID.int4Array, TypeOID.int2Array:
            array(bytes, integer).map { whole($0, PostgresValue.int8Array, PostgresValue.int8ArrayWithNulls) }
        case TypeOID.byteaArray:
            array(bytes) { _, item in [UInt8](item) }.map { whole($0, PostgresValue.byteaArray, PostgresValue.byteaArrayWithNulls) }
        case TypeOID.textArray, TypeOID.varcharArray:
            array(bytes) { _, item in String(decoding: item, as: UTF8.self) }
                .map { whole($0, PostgresValue.textArray, PostgresValue.textArrayWithNulls) }
        case TypeOID.uuidArray:
            array(bytes) { _, item in item.count == 16 ? [UInt8](item) : nil }
                .map { whole($0, PostgresValue.uuidArray, PostgresValue.uuidArrayWithNulls) }
        default: .bytes([UInt8](bytes))
        }
    }

    private static func integer(_ type: UInt32, _ bytes: UnsafeRawBufferPointer) -> Int64? {
        switch (type, bytes.count) {
        case (TypeOID.int8, 8): bytes.load(bigEndian: Int64.self)
        case (TypeOID.int4, 4): Int64(bytes.load(bigEndian: Int32.self))
        case (TypeOID.int2, 2): Int64(bytes.load(bigEndian: Int16.self))
        case (TypeOID.oid, 4): Int64(bytes.load(bigEndian: UInt32.self))
        default: nil
        }
    }

    private static func whole<Item>(
        _ items: [Item?], _ plain: ([Item]) -> PostgresValue, _ withNulls: ([Item?]) -> PostgresValue
    ) -> PostgresValue {
        let present = items.compactMap { $0 }
        return present.count == items.count ? plain(present) : withNulls(items)
    }

    /// The elements of an array of at most one dimension; nil for malformed bytes or more dimensions.
    private static func array<Item>(_ bytes: UnsafeRawBufferPointer, _ decode: (UInt32, UnsafeRawBufferPointer) -> Item?) -> [Item?]? {
        guard bytes.count >= 12 else { return nil }
        let dimensions = bytes.load(bigEndian: Int32.self)
        let element = bytes.load(bigEndian: UInt32.self, at: 8)
        if dimensions == 0 { return [] }
        guard dimensions == 1, bytes.count >= 20 else { return nil }
        let count = Int(bytes.load(bigEndian: Int32.self, at: 12))
        guard count >= 0, count <= (bytes.count - 20) / 4 else { return nil }
        var items: [Item?] = []
        items.reserveCapacity(count)
        var offset = 20
        for _ in 0..<count {
            guard offset + 4 <= bytes.count else { return nil }
            let length = Int(bytes.load(bigEndian: Int32.self, at: offset))
            offset += 4
            if length < 0 {
                items.append(.none)
                continue
            }
            guard offset + length <= bytes.count,
                let item = decode(element, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
            else { return nil }
            items.append(item)
            offset += length
        }
        return items
    }
}
