internal import Crypto

/// Finds mnemonic seed phrases (BIP-39): 12, 15, 18, 21 or 24 words of the list in a row whose checksum is right.
enum SeedPhrases {
    /// The places of phrases.
    static func places(in text: [UInt8], atMost limit: Int) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var run: [(index: Int, range: Range<Int>)] = []
        var start = 0
        while start < text.count, found.count < limit {
            guard isLetter(text[start]) else {
                // Words of a phrase stand apart by blanks, commas, numbers and line breaks; a sentence's end breaks a run.
                if text[start] == UInt8(ascii: ".") || text[start] == UInt8(ascii: "!") || text[start] == UInt8(ascii: "?") {
                    if start + 1 >= text.count || text[start + 1] <= 0x20, run.count > 0, !isNumbered(text, start) {
                        take(&run, &found)
                    }
                }
                start += 1
                continue
            }
            var end = start
            while end < text.count, isLetter(text[end]) { end += 1 }
            if (3...8).contains(end - start), let index = BIP39Words.index[lower(text[start..<end])] {
                run.append((index, start..<end))
            } else {
                take(&run, &found)
            }
            start = end
        }
        take(&run, &found)
        return Array(found.prefix(limit))
    }

    private static func take(_ run: inout [(index: Int, range: Range<Int>)], _ found: inout [Range<Int>]) {
        defer { run.removeAll(keepingCapacity: true) }
        var start = 0
        while run.count - start >= 12 {
            if let count = [24, 21, 18, 15, 12].first(where: { start + $0 <= run.count && isValid(run[start..<start + $0].map(\.index)) }) {
                found.append(run[start].range.lowerBound..<run[start + count - 1].range.upperBound)
                start += count
            } else {
                start += 1
            }
        }
    }

    /// BIP-39: the last n/3 bits of n words are the first bits of the SHA-256 of those before.
    static func isValid(_ words: [Int]) -> Bool {
        var bits: [UInt8] = []
        for word in words { for bit in (0..<11).reversed() { bits.append(UInt8(word >> bit & 1)) } }
        let checkCount = words.count / 3
        var entropy: [UInt8] = []
        for start in stride(from: 0, to: bits.count - checkCount, by: 8) {
            entropy.append(bits[start..<start + 8].reduce(0) { $0 << 1 | $1 })
        }
        let hash = SHA256.hash(entropy).bytes[0]
        let check = bits.suffix(checkCount).reduce(0 as UInt8) { $0 << 1 | $1 }
        return hash >> UInt8(8 - checkCount) == check
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }

    /// `1. word 2. word`: the point after a number ends no sentence.
    private static func isNumbered(_ text: [UInt8], _ point: Int) -> Bool {
        point > 0 && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[point - 1])
    }

    private static func lower(_ word: ArraySlice<UInt8>) -> String { String(decoding: word.map { $0 | 0x20 }, as: UTF8.self) }
}
