/// How near answers come to what was expected.
struct AnswerScores: Sendable {
    private(set) var count = 0
    private(set) var exact = 0
    private var rouge = 0.0

    mutating func add(_ answer: String, expected: String) {
        count += 1
        if Self.plain(answer) == Self.plain(expected) { exact += 1 }
        rouge += Self.rougeL(answer, expected)
    }

    /// The mean of ROUGE-L in basis points.
    var rougePoints: Int { count == 0 ? 0 : Int((rouge / Double(count) * 10_000).rounded()) }

    /// The words, in small letters, without what stands between them: as the common scorers cut text.
    static func words(_ text: String) -> [Substring] {
        text.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) && ($0.isASCII || !$0.isLetter) }
    }

    /// ROUGE-L (Lin 2004): the harmonic mean of how much of each text their longest common subsequence of words is; 0…1.
    static func rougeL(_ answer: String, _ expected: String) -> Double {
        let (a, b) = (words(answer), words(expected))
        guard !a.isEmpty, !b.isEmpty else { return a.isEmpty && b.isEmpty ? 1 : 0 }
        var row = [Int](repeating: 0, count: b.count + 1)
        for word in a {
            var diagonal = 0
            for index in 1...b.count {
                let above = row[index]
                row[index] = word == b[index - 1] ? diagonal + 1 : max(above, row[index - 1])
                diagonal = above
            }
        }
        let common = Double(row[b.count])
        return common == 0 ? 0 : 2 * common / Double(a.count + b.count)
    }

    private static func plain(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
