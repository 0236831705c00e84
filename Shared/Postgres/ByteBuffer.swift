extension [UInt8] {
    /// Appends an integer in network order, the order of everything binary in the protocol.
    mutating func append<Integer: FixedWidthInteger>(bigEndian value: Integer) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Reads an integer in network order at `offset`, which the caller has checked.
    func load<Integer: FixedWidthInteger>(bigEndian type: Integer.Type, at offset: Int = 0) -> Integer {
        Integer(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}
