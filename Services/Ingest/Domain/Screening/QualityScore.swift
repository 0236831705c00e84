public import JSON

/// How good a text is, in parts that anybody can recompute. Each part and the whole are 0 to 1,000.
public struct QualityScore: Sendable, Hashable {
    /// Enough words to say something: full from 32 tokens on.
    public let length: Int
    /// Different words among the first 200: full from two fifths on.
    public let variety: Int
    /// Letters rather than digits and marks: full from three fifths on.
    public let legibility: Int
    /// Pairs of letters that languages have: nothing at 800 of 1,000, full at 980.
    public let coherence: Int
    /// Sentences, or a prompt with its completion.
    public let structure: Int
    /// A language that was recognised.
    public let language: Int

    /// The parts and their weights; these add up to 1,000.
    public static let weights: [(name: String, weight: Int)] = [
        ("length", 250), ("variety", 250), ("legibility", 150), ("coherence", 200), ("structure", 100), ("language", 50),
    ]

    /// How each part is counted, for whoever recomputes it; all of them end at 0 and at 1,000, and divisions round down.
    static let formulas: [(name: String, formula: String)] = [
        ("length", "tokens * 1000 / 32"), ("variety", "different words of the first 200 * 2500 / words of the first 200"),
        ("legibility", "letters' bytes * 1000 / (letters' and digits' bytes + marks) * 1000 / 600"),
        ("coherence", "800 below 20 pairs of letters, else (pairs that languages have * 1000 / pairs - 800) * 1000 / 180"),
        ("structure", "1000 with a sentence's end or a prompt with its completion, else 500"),
        ("language", "1000 where one was recognised, else 400"),
    ]

    init(_ profile: TextProfile, isPair: Bool, language guess: LanguageGuess) {
        func capped(_ value: Int) -> Int { min(1000, max(0, value)) }
        length = capped(profile.tokens * 1000 / 32)
        let first = profile.words.prefix(200)
        variety = first.isEmpty ? 0 : capped(Set(first).count * 2500 / first.count)
        let written = profile.letterBytes + profile.digitBytes + profile.marks
        legibility = written == 0 ? 0 : capped(profile.letterBytes * 1000 / written * 1000 / 600)
        coherence =
            profile.pairs < 20 ? 800 : capped((profile.commonPairs * 1000 / profile.pairs - 800) * 1000 / 180)
        structure = profile.sentences > 0 || isPair ? 1000 : 500
        language = guess.code == "und" ? 400 : 1000
    }

    /// The whole: the parts by their weights.
    public var total: Int {
        let parts = [length, variety, legibility, coherence, structure, language]
        return zip(parts, Self.weights).reduce(0) { $0 + $1.0 * $1.1.weight } / 1000
    }

    /// The parts, by name.
    public var json: JSONValue {
        let parts = [length, variety, legibility, coherence, structure, language]
        return .object(JSONObject(zip(Self.weights, parts).map { ($0.name, .int(Int64($1))) }))
    }
}
