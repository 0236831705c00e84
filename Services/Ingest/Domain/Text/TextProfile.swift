/// What one pass over a text counts: the ground for tokens, shingles, quality and repetition. Integers only; the same on
/// every machine.
public struct TextProfile: Sendable {
    /// A hash per word, in order. A word is a run of letters and digits; each character of scripts that write without
    /// spaces is one. ASCII letters are taken in lower case.
    public private(set) var words: [UInt64] = []
    /// Punctuation marks and symbols.
    public private(set) var marks = 0
    /// Bytes of letters (those beyond ASCII included).
    public private(set) var letterBytes = 0
    /// Bytes of digits.
    public private(set) var digitBytes = 0
    /// Bytes of blanks and line breaks.
    public private(set) var blankBytes = 0
    /// Control characters other than tab and line breaks.
    public private(set) var controls = 0
    /// Sentences: ends marked by `.`, `!`, `?` or their like in other scripts before a blank or the end.
    public private(set) var sentences = 0
    /// Pairs of ASCII letters within words.
    public private(set) var pairs = 0
    /// How many of these occur in languages.
    public private(set) var commonPairs = 0
    /// Lines that are not blank.
    public private(set) var lines = 0
    /// How many of these repeat an earlier line of the same text.
    public private(set) var repeatedLines = 0
    /// The longest run of one and the same byte.
    public private(set) var longestRun = 0
    /// All bytes.
    public let bytes: Int

    /// Words and punctuation marks.
    public var tokens: Int { words.count + marks }

    /// Profiles valid UTF-8.
    public init(_ text: [UInt8]) {
        bytes = text.count
        words.reserveCapacity(text.count / 5)
        text.withUnsafeBufferPointer { scan($0) }
    }

    private mutating func scan(_ text: UnsafeBufferPointer<UInt8>) {
        var word = WordHash()
        var line = WordHash()
        var seenLines: Set<UInt64> = []
        var previousLetter = -1
        var run = 0
        var previous: UInt8 = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            run = byte == previous && index > 0 ? run + 1 : 1
            longestRun = max(longestRun, run)
            previous = byte
            if byte == 0x0a {
                if let hash = line.take() {
                    lines += 1
                    if !seenLines.insert(hash).inserted { repeatedLines += 1 }
                }
            } else if byte > 0x20 {
                line.add(byte)
            }
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                let lower = byte | 0x20
                word.add(lower)
                letterBytes += 1
                let letter = Int(lower) - 97
                if previousLetter >= 0 {
                    pairs += 1
                    if LetterPairs.common[previousLetter * 26 + letter] { commonPairs += 1 }
                }
                previousLetter = letter
                index += 1
                continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                word.add(byte)
                digitBytes += 1
            case 0x80...:
                let count = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
                let end = min(index + count, text.count)
                if Self.isMark(text, index, count) {
                    finish(&word)
                    marks += 1
                    if Self.endsSentence(text, index, count) { sentences += 1 }
                } else if Self.standsAlone(text, index, count) {
                    finish(&word)
                    for place in index..<end { word.add(text[place]) }
                    finish(&word)
                    letterBytes += end - index
                } else {
                    for place in index..<end { word.add(text[place]) }
                    letterBytes += end - index
                }
                for place in index + 1..<max(end, index + 1) { line.add(text[place]) }
                previousLetter = -1
                previous = text[end - 1]
                index = end
                continue
            case 0x20, 0x09, 0x0a, 0x0d:
                finish(&word)
                blankBytes += 1
            case 0..<0x20, 0x7f:
                finish(&word)
                controls += 1
            default:
                finish(&word)
                marks += 1
                let endsHere = byte == UInt8(ascii: ".") || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?")
                if endsHere, index + 1 == text.count || text[index + 1] <= 0x20 { sentences += 1 }
            }
            previousLetter = -1
            index += 1
        }
        finish(&word)
        if let hash = line.take() {
            lines += 1
            if !seenLines.insert(hash).inserted { repeatedLines += 1 }
        }
    }

    private mutating func finish(_ word: inout WordHash) {
        if let hash = word.take() { words.append(hash) }
    }

    /// General punctuation (U+2000…U+206F), CJK punctuation (U+3000…U+303F) and full-width marks (U+FF00…U+FF0F).
    private static func isMark(_ text: UnsafeBufferPointer<UInt8>, _ index: Int, _ count: Int) -> Bool {
        guard count == 3, index + 2 < text.count else { return text[index] == 0xc2 && index + 1 < text.count && text[index + 1] < 0xaa }
        switch (text[index], text[index + 1]) {
        case (0xe2, 0x80), (0xe3, 0x80): return true
        case (0xe2, 0x81): return text[index + 2] <= 0xaf
        case (0xef, 0xbc): return text[index + 2] <= 0x8f
        default: return false
        }
    }

    private static func endsSentence(_ text: UnsafeBufferPointer<UInt8>, _ index: Int, _ count: Int) -> Bool {
        guard count == 3, index + 2 < text.count else { return false }
        // 。 ！ ．
        return (text[index], text[index + 1], text[index + 2]) == (0xe3, 0x80, 0x82)
            || (text[index], text[index + 1]) == (0xef, 0xbc) && [0x81, 0x8e].contains(text[index + 2])
    }

    /// Kana and the ideographs: U+3040…U+9FFF, and those of four bytes from U+20000.
    private static func standsAlone(_ text: UnsafeBufferPointer<UInt8>, _ index: Int, _ count: Int) -> Bool {
        if count == 3, index + 1 < text.count {
            return text[index] == 0xe3 ? text[index + 1] >= 0x81 : (0xe4...0xe9).contains(text[index])
        }
        return count == 4 && text[index] == 0xf0 && index + 1 < text.count && (0xa0...0xb3).contains(text[index + 1])
    }
}

/// FNV-1a over bytes with a last mix; nil when nothing was added.
struct WordHash {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325
    private var isEmpty = true

    mutating func add(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x100_0000_01b3
        isEmpty = false
    }

    mutating func take() -> UInt64? {
        if isEmpty { return nil }
        defer { self = WordHash() }
        return mix64(state)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014): every bit of the input moves every bit of the output.
@inline(__always) func mix64(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
}
