internal import Crypto

/// A row of influence as runners write it: the name of the factors it was made with, and for each tensor row a scale and signed bytes.
///
/// Layout, little-endian: `OLIR`, version 1, role (1 training, 2 answer), 32 bytes of the factors' hash, the number of tensor rows
/// (4 bytes), the length of each (4 bytes), the scale of each (binary32), the bytes.
struct EngineRow: Sendable {
    enum Role: UInt8, Sendable {
        case training = 1
        case answer = 2
    }

    let role: Role
    let factors: Digest
    let lengths: [Int]
    let scales: [Float]
    let values: ArraySlice<UInt8>

    private static let header = 42

    /// - Throws: `InfluenceRowError` for bytes that are no row.
    init(_ bytes: ArraySlice<UInt8>) throws(InfluenceRowError) {
        let start = bytes.startIndex
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[start + offset + $1]) << UInt32(8 * $1) }
        }
        guard bytes.count >= Self.header, bytes.starts(with: Array("OLIR".utf8)), bytes[start + 4] == 1 else {
            throw .bad("is of another form")
        }
        guard let role = Role(rawValue: bytes[start + 5]), let factors = Digest(bytes[start + 6..<start + 38]) else {
            throw .bad("is of another role")
        }
        let count = Int(word(38))
        guard count <= 1 << 20, bytes.count >= Self.header + 8 * count else { throw .bad("is cut off") }
        let lengths = (0..<count).map { Int(word(Self.header + 4 * $0)) }
        let scales = (0..<count).map { Float(bitPattern: word(Self.header + 4 * (count + $0))) }
        guard lengths.allSatisfy({ (1...1 << 24).contains($0) }) else { throw .bad("has a tensor row of no length") }
        guard bytes.count == Self.header + 8 * count + lengths.reduce(0, +) else { throw .bad("has not the length that it says") }
        guard scales.allSatisfy({ $0.isFinite && $0 >= 0 }) else { throw .bad("has a scale that is no finite number") }
        self.role = role
        self.factors = factors
        self.lengths = lengths
        self.scales = scales
        values = bytes[(start + Self.header + 8 * count)...]
    }

    /// The numbers that the row stands for: each byte times its tensor row's scale, rounded once.
    func numbers() -> [Float] {
        var numbers: [Float] = []
        numbers.reserveCapacity(values.count)
        var at = values.startIndex
        for (length, scale) in zip(lengths, scales) {
            for index in at..<at + length { numbers.append(Float(Int8(bitPattern: values[index])) * scale) }
            at += length
        }
        return numbers
    }
}

/// Why rows of influence cannot be used. They stay as they are for ever, so the method is left out.
enum InfluenceRowError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A row is not one.
    case bad(String)
    /// The artefact is not of the form that runners write.
    case artefact(String)

    /// What is wrong.
    var description: String {
        switch self {
        case .bad(let reason): "a row of influence \(reason)"
        case .artefact(let reason): "the artefact of rows \(reason)"
        }
    }
}
