/// Which words of a text lie in a run of words that another text has too.
enum GramCover {
    /// One flag for each word of `text`: whether some run of `length` words that covers it occurs in `other`.
    static func covered(_ text: [WordHash], by other: [WordHash], length: Int) -> [Bool] {
        var flags = [Bool](repeating: false, count: text.count)
        guard text.count >= length, other.count >= length, length > 0 else { return flags }
        let known = Set(grams(other, length))
        var end = 0
        for (start, gram) in grams(text, length).enumerated() where known.contains(gram) {
            for index in max(start, end)..<start + length { flags[index] = true }
            end = start + length
        }
        return flags
    }

    /// A hash of each run of `length` words: 128 bits, so that equal means equal.
    private static func grams(_ words: [WordHash], _ length: Int) -> [WordHash] {
        words.withUnsafeBytes { all in
            let stride = MemoryLayout<WordHash>.stride
            return (0...words.count - length).map { start in
                WordHash(UnsafeRawBufferPointer(rebasing: all[start * stride..<(start + length) * stride]), key: .local)
            }
        }
    }
}
