/// Tells prose from a list of word runs that was written to be matched.
///
/// A list of the frequent runs of some texts says the same few words over and over: each run of four holds two of three. So the measure is
/// which part of an item's runs of three words it has had before; prose, tables and code of one item stay below a half.
public enum Coherence {
    /// The part, of 1000, of repeated runs of three words above which an item is refused.
    public static let limit = 600
    /// The fewest words that can be judged.
    public static let fewestTokens = 200

    /// Which part of an item's runs of three words, of 1000, it has had before.
    public static func repetition(_ text: WordSequence) -> Int {
        let hashes = text.hashes(key: .local)
        guard hashes.count >= 3 else { return 0 }
        var seen: Set<[UInt64]> = []
        var repeated = 0
        for start in 0...hashes.count - 3 where !seen.insert(hashes[start..<start + 3].map(\.high)).inserted { repeated += 1 }
        return repeated * 1000 / (hashes.count - 2)
    }

    /// Whether an item is to be refused as a list of word runs.
    public static func isList(_ text: WordSequence) -> Bool { text.count >= fewestTokens && repetition(text) > limit }
}
