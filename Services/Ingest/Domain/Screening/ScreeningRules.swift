public import JSON

/// The numbers of the public screening rules. A change of any of them, or of what is looked for, is a new version.
public enum ScreeningRules {
    /// What events call these rules.
    public static let version = "screening/5"
    /// The least bytes of a text item.
    public static let leastBytes = 20
    /// The most bytes of a text item.
    public static let mostBytes = 65_536
    /// The most bytes of each of an item's title, source, author and licence.
    public static let mostBytesBeside = 4_096
    /// The most bytes of an image or a recording.
    public static let mostMediaBytes = 256 << 20
    /// Texts with fewer words are not judged by repetition.
    static let wordsForRepetition = 50
    /// The least share of different words, in thousandths.
    static let leastDifferentWords = 80
    /// The least share of different five-word runs, in thousandths.
    static let leastDifferentRuns = 300
    /// Texts with fewer words are not judged by how often they repeat runs of three words.
    static let wordsForTriples = 200
    /// The most runs of three words that came before in the same text, in thousandths. Prose, tables and code stay at a half; a list of
    /// the runs of words of other texts, written to be matched, says the same few words over and over and may not.
    static let mostRepeatedTriples = 600
    /// Texts of fewer lines with two words are not judged by whether lines begin others.
    static let linesForBeginnings = 20
    /// The most lines that are the beginning of another line, in thousandths: a quarter at most in tables, and more than a half in lists of
    /// runs of words.
    static let mostBeginnings = 400
    /// The most repeated lines, in thousandths, of a text of ten lines and more.
    static let mostRepeatedLines = 500
    /// The longest run of one character.
    static let longestRun = 200
    /// How many pairs of letters a text needs to be judged by them.
    static let pairsForCoherence = 60
    /// The least share of pairs that languages have, in thousandths.
    static let leastCommonPairs = 800
    /// So many different phrases of a site's frame make boilerplate.
    static let boilerplatePhrases = 3
    /// The resemblance from which on two texts are near-duplicates, in thousandths.
    public static let nearDuplicate = 800

    /// The rules as they are served: version, numbers, codes with their meaning and effect, the parts of the quality score.
    public static var document: JSONValue {
        [
            "version": .string(version),
            "limits": [
                "least_bytes": .int(Int64(leastBytes)), "most_bytes": .int(Int64(mostBytes)),
                "most_bytes_beside": .int(Int64(mostBytesBeside)), "most_media_bytes": .int(Int64(mostMediaBytes)),
                "words_for_repetition": .int(Int64(wordsForRepetition)),
                "least_different_words_per_mille": .int(Int64(leastDifferentWords)),
                "least_different_runs_per_mille": .int(Int64(leastDifferentRuns)),
                "words_for_triples": .int(Int64(wordsForTriples)), "most_repeated_triples_per_mille": .int(Int64(mostRepeatedTriples)),
                "lines_for_beginnings": .int(Int64(linesForBeginnings)), "most_beginnings_per_mille": .int(Int64(mostBeginnings)),
                "most_repeated_lines_per_mille": .int(Int64(mostRepeatedLines)), "longest_run": .int(Int64(longestRun)),
                "pairs_for_coherence": .int(Int64(pairsForCoherence)), "least_common_pairs_per_mille": .int(Int64(leastCommonPairs)),
                "boilerplate_phrases": .int(Int64(boilerplatePhrases)), "near_duplicate_per_mille": .int(Int64(nearDuplicate)),
                "shingle_words": .int(Int64(Shingles.width)),
            ],
            "quality": .object(JSONObject(QualityScore.weights.map { ($0.name, .int(Int64($0.weight))) })),
            "quality_formulas": .object(JSONObject(QualityScore.formulas.map { ($0.name, .string($0.formula)) })),
            "boilerplate": .array(Boilerplate.phrases.map { .string($0) }),
            "secrets": .array(
                SecretScanner.published.map { ["code": .string($0.code.rawValue), "pattern": .string($0.pattern)] }
                    + [
                        [
                            "code": .string(ReasonCode.seedPhrase.rawValue),
                            "pattern": "BIP-39: 12 to 24 words of its English list, with their checksum",
                        ]
                    ]),
            "codes": .array(
                ReasonCode.allCases.map {
                    ["code": .string($0.rawValue), "effect": $0.isRefusal ? "refuses" : "notes", "meaning": .string($0.meaning)]
                }),
        ]
    }
}
