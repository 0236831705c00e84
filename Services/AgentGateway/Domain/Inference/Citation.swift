/// When an answer cites a passage without naming it.
public enum Citation {
    /// Words in a row that make a quotation: what attribution calls a span, shorter runs being chance.
    public static let words = 8

    /// Whether the answer has a run of at least ``words`` words of the passage, whatever their case and punctuation.
    public static func isQuoted(_ passage: String, in answer: String) -> Bool {
        let passage = split(passage)
        let answer = split(answer)
        guard passage.count >= words, answer.count >= words else { return false }
        var runs: Set<ArraySlice<Substring>> = []
        for start in 0...(passage.count - words) { runs.insert(passage[start..<start + words]) }
        return (0...(answer.count - words)).contains { runs.contains(answer[$0..<$0 + words]) }
    }

    private static func split(_ text: String) -> [Substring] { text.lowercased().split { !$0.isLetter && !$0.isNumber } }
}
