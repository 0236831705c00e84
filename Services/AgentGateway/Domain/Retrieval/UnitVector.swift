/// An embedding's direction in whole numbers: likeness is then a sum of integers, the same on every machine, and ties are ties.
public struct UnitVector: Sendable, Hashable {
    /// What stands for a length of 1.
    public static let one = 32_767
    /// Most numbers of an embedding.
    public static let most = 8_192
    /// The numbers, in 32,767ths of the length.
    public let numbers: [Int16]

    /// Takes an embedding; nil for one that has no direction, is too long, or has what is no number.
    public init?(_ embedding: [Double]) {
        guard (1...Self.most).contains(embedding.count), embedding.allSatisfy(\.isFinite) else { return nil }
        // Against the largest first, so that no square is too large or vanishes.
        let largest = embedding.reduce(0) { max($0, abs($1)) }
        guard largest > 0 else { return nil }
        let scaled = embedding.map { $0 / largest }
        let length = scaled.reduce(0) { $0 + $1 * $1 }.squareRoot()
        numbers = scaled.map { Int16(($0 / length * Double(Self.one)).rounded()) }
    }

    /// Takes it from its bytes; nil when they are not whole numbers.
    public init?(bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes.count % 2 == 0, bytes.count / 2 <= Self.most else { return nil }
        numbers = stride(from: 0, to: bytes.count, by: 2).map { Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8) }
    }

    /// As it is kept: two bytes a number, the low one first.
    public var bytes: [UInt8] { numbers.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] } }

    /// The cosine of the angle between both, in units of about 10^-9; nil for embeddings of different models.
    public func likeness(to other: UnitVector) -> Int? {
        guard numbers.count == other.numbers.count else { return nil }
        // By Cauchy and Schwarz no partial sum is beyond 32 bits.
        var sum: Int32 = 0
        for index in numbers.indices { sum &+= Int32(numbers[index]) &* Int32(other.numbers[index]) }
        return Int(sum)
    }
}
