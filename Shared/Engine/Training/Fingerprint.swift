internal import Crypto

/// Names numbers by their bytes as they stand in memory: little-endian on every processor that the engine runs on.
enum Fingerprint {
    /// SHA-256 of the numbers of a buffer, as hexadecimal digits.
    static func of(_ buffer: FloatBuffer) -> String {
        let values = buffer.values
        return SHA256.hash(values.span.bytes).hex
    }

    /// SHA-256 of integers.
    static func of(_ values: [Int32]) -> Digest { SHA256.hash(values.span.bytes) }
}
