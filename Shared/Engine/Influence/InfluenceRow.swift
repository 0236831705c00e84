internal import CKernels
public import Crypto

/// The gradient of one row or one answer, rotated into the eigenbases of ``InfluenceFactors`` and stored as int8 with one scale for
/// each row of each tensor (measured: no loss of score against float32).
public struct InfluenceRow: Sendable, Equatable {
    /// On which side of a score it stands.
    public enum Role: UInt8, Sendable {
        /// A training row: divided by the curvature.
        case training = 1
        /// A served answer or a query.
        case answer = 2
    }

    /// On which side it stands.
    public let role: Role
    /// Names the factors: only rows of the same factors can be compared.
    public let factors: Digest
    /// One for each tensor row, all of the same length rule; value = scale · integer.
    let scales: [Float]
    /// The integers, tensor row by tensor row.
    let values: [Int8]
    /// Length of each tensor row.
    let lengths: [Int]

    /// The stored form: a header, the lengths, the scales, the integers; little-endian. The same row gives the same bytes.
    public var bytes: [UInt8] {
        var out = Array("OLIR".utf8)
        out.append(1)
        out.append(role.rawValue)
        factors.append(to: &out)
        func put(_ value: UInt32) { for shift in [0, 8, 16, 24] { out.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) } }
        put(UInt32(lengths.count))
        for length in lengths { put(UInt32(length)) }
        for scale in scales { put(scale.bitPattern) }
        out += values.map { UInt8(bitPattern: $0) }
        return out
    }

    /// SHA-256 of ``bytes``.
    public var digest: Digest { SHA256.hash(bytes) }

    /// Reads the stored form.
    public init(bytes: [UInt8]) throws(EngineError) {
        func fail(_ what: String) -> EngineError { .badWeights("an influence row \(what)") }
        guard bytes.count >= 42, bytes.starts(with: Array("OLIR".utf8)), bytes[4] == 1 else { throw fail("has another form") }
        guard let role = Role(rawValue: bytes[5]), let factors = Digest(bytes[6..<38]) else { throw fail("has another role") }
        func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) } }
        let count = Int(word(38))
        guard count <= 1 << 24, bytes.count >= 42 + 8 * count else { throw fail("is cut off") }
        let lengths = (0..<count).map { Int(word(42 + 4 * $0)) }
        let scales = (0..<count).map { Float(bitPattern: word(42 + 4 * (count + $0))) }
        guard lengths.allSatisfy({ $0 <= 1 << 24 }), bytes.count == 42 + 8 * count + lengths.reduce(0, +) else {
            throw fail("has not the length that its header says")
        }
        guard scales.allSatisfy({ $0.isFinite && $0 >= 0 }) else { throw fail("has a scale that is not a finite number") }
        self.role = role
        self.factors = factors
        self.lengths = lengths
        self.scales = scales
        values = bytes[(42 + 8 * count)...].map { Int8(bitPattern: $0) }
    }

    /// Rounds numbers, tensor row by tensor row.
    init(_ numbers: UnsafePointer<Float>, lengths: [Int], role: Role, factors: Digest) {
        self.role = role
        self.factors = factors
        self.lengths = lengths
        var scales: [Float] = [], values: [Int8] = []
        values.reserveCapacity(lengths.reduce(0, +))
        var at = 0
        for length in lengths {
            var top: Float = 0
            for index in at..<at + length { top = max(top, abs(numbers[index])) }
            let inverse = top > 0 ? 127 / top : 0
            scales.append(top / 127)
            for index in at..<at + length { values.append(Int8(max(-127, min(127, (numbers[index] * inverse).rounded(.toNearestOrEven))))) }
            at += length
        }
        self.scales = scales
        self.values = values
    }

    /// How much a training row helped an answer: positive when training on it lowered the answer's loss. Integer dot products, put
    /// together in one order in double precision: the same on every machine.
    public static func score(training: InfluenceRow, answer: InfluenceRow) throws(EngineError) -> Double {
        guard training.role == .training, answer.role == .answer else {
            throw .badSetting("a score needs a training row and an answer's row")
        }
        guard training.factors == answer.factors, training.lengths == answer.lengths else {
            throw .badSetting("the rows were made with different factors")
        }
        guard let dot = engine_kernels(engine_best_level())?.pointee.dot_int8 else { return 0 }
        return training.values.withUnsafeBufferPointer { left in
            answer.values.withUnsafeBufferPointer { right in
                guard let left = left.baseAddress, let right = right.baseAddress else { return 0 }
                var sum = 0.0, at = 0
                for (index, length) in training.lengths.enumerated() {
                    let product = dot(left + at, right + at, Int64(length))
                    sum += Double(product) * Double(training.scales[index]) * Double(answer.scales[index])
                    at += length
                }
                return sum
            }
        }
    }
}
