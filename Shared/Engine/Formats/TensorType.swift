/// What the numbers of a stored tensor are (the `dtype` of safetensors).
public enum TensorType: String, Sendable, Hashable, CaseIterable {
    /// IEEE 754 single precision.
    case float32 = "F32"
    /// IEEE 754 half precision.
    case float16 = "F16"
    /// The upper half of a single: 8 bits of exponent, 7 of fraction.
    case bfloat16 = "BF16"
    /// Two's complement, 8 bits.
    case int8 = "I8"
    /// IEEE 754 double precision. Measured, not read.
    case float64 = "F64"
    /// Two's complement, 16 bits. Measured, not read.
    case int16 = "I16"
    /// Two's complement, 32 bits. Measured, not read.
    case int32 = "I32"
    /// Two's complement, 64 bits. Measured, not read.
    case int64 = "I64"
    /// Unsigned, 8 bits. Measured, not read.
    case uint8 = "U8"
    /// Unsigned, 16 bits. Measured, not read.
    case uint16 = "U16"
    /// Unsigned, 32 bits. Measured, not read.
    case uint32 = "U32"
    /// Unsigned, 64 bits. Measured, not read.
    case uint64 = "U64"
    /// A truth value in a byte. Measured, not read.
    case bool = "BOOL"
    /// 8-bit float, 5 bits of exponent. Measured, not read.
    case float8E5M2 = "F8_E5M2"
    /// 8-bit float, 4 bits of exponent. Measured, not read.
    case float8E4M3 = "F8_E4M3"

    /// Bytes of one number.
    public var size: Int {
        switch self {
        case .int8, .uint8, .bool, .float8E5M2, .float8E4M3: 1
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64: 8
        }
    }

    /// Whether the engine reads numbers of this type; the others may stand in a file that it opens.
    public var isReadable: Bool {
        switch self {
        case .float32, .float16, .bfloat16, .int8: true
        default: false
        }
    }
}
