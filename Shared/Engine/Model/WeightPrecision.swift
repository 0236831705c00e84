/// How the base model's weight matrices are kept in memory. Sums are in float32 whatever the storage.
public enum WeightPrecision: String, Sendable, CaseIterable {
    /// 4 bytes a weight, exact.
    case float32
    /// 2 bytes a weight, rounded to nearest even.
    case bfloat16
    /// 1 byte a weight and one float32 scale per output row, symmetric: `w ≈ scale · q`, `q` in −127…127.
    case int8

    /// Bytes that a matrix of `rows` × `columns` takes.
    public func byteCount(rows: Int, columns: Int) -> Int {
        let padded = (rows + 3) / 4 * 4 * ((columns + 15) / 16 * 16)
        return switch self {
        case .float32: padded * 4
        case .bfloat16: padded * 2
        case .int8: padded + rows * 4
        }
    }
}
