public import AttributionDomain

/// An item of the corpus that is evaluated on.
public struct EvaluationItem: Sendable {
    /// Its id.
    public let id: String
    /// The name that contributed it.
    public let contributor: String
    /// Its text.
    public let text: WordSequence

    /// Takes an item.
    public init(id: String, contributor: String, text: WordSequence) {
        self.id = id
        self.contributor = contributor
        self.text = text
    }

    /// Some of its words as text.
    func words(_ range: Range<Int>) -> [UInt8] { Array(text.bytes[text.byteRange(range)]) }
}

/// A repeatable source of choices (SplitMix64; Steele, Lea and Flood, 2014).
struct Choices: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
