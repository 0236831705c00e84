/// A tensor to be written.
public struct TensorContent: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The type of its numbers.
    public let type: TensorType
    /// The sizes of its dimensions, the last one contiguous.
    public let shape: [Int]
    /// The numbers, little-endian.
    public let bytes: [UInt8]

    /// A tensor of bytes that are already in their stored form.
    public init(name: String, type: TensorType, shape: [Int], bytes: [UInt8]) {
        self.name = name
        self.type = type
        self.shape = shape
        self.bytes = bytes
    }

    /// A tensor of singles, stored as they are.
    public init(name: String, shape: [Int], float32 values: [Float]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * values.count)
        for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
        self.init(name: name, type: .float32, shape: shape, bytes: bytes)
    }

    /// A tensor of singles, each stored as the nearest bfloat16.
    public init(name: String, shape: [Int], bfloat16 values: [Float]) {
        self.init(name: name, type: .bfloat16, shape: shape, bytes: Self.halves(values, FloatFormats.bfloat16))
    }

    /// A tensor of singles, each stored as the nearest half.
    public init(name: String, shape: [Int], float16 values: [Float]) {
        self.init(name: name, type: .float16, shape: shape, bytes: Self.halves(values, FloatFormats.float16))
    }

    /// A tensor of 8-bit integers.
    public init(name: String, shape: [Int], int8 values: [Int8]) {
        self.init(name: name, type: .int8, shape: shape, bytes: values.map { UInt8(bitPattern: $0) })
    }

    private static func halves(_ values: [Float], _ convert: (Float) -> UInt16) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * values.count)
        for value in values {
            let bits = convert(value)
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
        }
        return bytes
    }
}
