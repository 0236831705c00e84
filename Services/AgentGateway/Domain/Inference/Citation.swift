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

    /// Whether the answer names an item: its id, and not as the beginning or end of a longer one.
    public static func isNamed(_ item: String, in answer: String) -> Bool {
        let (name, text) = (Array(item.utf8), Array(answer.utf8))
        guard !name.isEmpty, text.count >= name.count else { return false }
        for start in 0...(text.count - name.count) where text[start] == name[0] && text[start..<start + name.count].elementsEqual(name) {
            let end = start + name.count
            // A full stop ends a sentence, unless the id goes on behind it.
            let goesOn =
                end < text.count && (isOfID(text[end]) || (text[end] == 0x2E && end + 1 < text.count && isOfID(text[end + 1])))
            let began = start > 0 && (isOfID(text[start - 1]) || text[start - 1] == 0x2E)
            if !goesOn, !began { return true }
        }
        return false
    }

    private static func isOfID(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F || byte == 0x2D
    }

    private static func split(_ text: String) -> [Substring] { text.lowercased().split { !$0.isLetter && !$0.isNumber } }
}
