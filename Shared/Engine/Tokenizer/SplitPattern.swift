/// The regular expressions by which byte-level tokenizers cut text into words, as scanners: linear time, no backtracking.
///
/// A file's pattern is recognised by its text. Each matches every character of any text somewhere, so the words tile it.
enum SplitPattern: Sendable, Hashable {
    /// GPT-2's, also SmolLM's.
    case gpt2
    /// Llama 3's with numbers of at most three digits, Qwen2's with single digits.
    case cl100k(digits: Int)

    static let gpt2Text = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    static let llama3Text =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let qwen2Text =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    /// The pattern that a regular expression of a file stands for.
    init?(regex: String) {
        switch regex {
        case Self.gpt2Text, #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: self = .gpt2
        case Self.llama3Text: self = .cl100k(digits: 3)
        case Self.qwen2Text: self = .cl100k(digits: 1)
        default: return nil
        }
    }

    /// Where the word that begins at `start` ends.
    func end(of start: Int, in text: TextCursor) -> Int {
        switch self {
        case .gpt2: Self.gpt2End(start, text)
        case .cl100k(let digits): Self.cl100kEnd(start, text, digits)
        }
    }

    private static func gpt2End(_ start: Int, _ text: TextCursor) -> Int {
        if text[start] == UInt8(ascii: "'"), let end = contraction(start, text, ignoringCase: false) { return end }
        // ` ?` of three alternatives: a blank goes with what follows, unless that is blank too.
        var first = start
        if text[start] == UInt8(ascii: " "), start + 1 < text.count { first = start + 1 }
        var (kind, length) = text.character(at: first)
        if kind == .space {
            first = start
            (kind, length) = text.character(at: first)
        }
        if kind != .space { return text.endOfRun(kind, from: first + length) }
        return endOfBlanks(start, text)
    }

    private static func cl100kEnd(_ start: Int, _ text: TextCursor, _ digits: Int) -> Int {
        if text[start] == UInt8(ascii: "'"), let end = contraction(start, text, ignoringCase: true) { return end }
        let (kind, length) = text.character(at: start)
        let next = start + length
        switch kind {
        case .letter: return text.endOfRun(.letter, from: next)
        case .number: return text.endOfRun(.number, from: next, atMost: digits - 1)
        case .space, .other: break
        }
        let isLineEnd = text[start] == UInt8(ascii: "\r") || text[start] == UInt8(ascii: "\n")
        let following = next < text.count ? text.character(at: next).class : nil
        // One character that is no line end goes with the letters that follow.
        if !isLineEnd, following == .letter { return text.endOfRun(.letter, from: next) }
        if kind == .other || (text[start] == UInt8(ascii: " ") && following == .other) {
            return endOfLineEnds(text.endOfRun(.other, from: next), text)
        }
        let end = text.endOfRun(.space, from: start)
        // `\s*[\r\n]+`: up to the last line end among the blanks.
        var last = end
        while last > start, text[last - 1] != UInt8(ascii: "\r"), text[last - 1] != UInt8(ascii: "\n") { last -= 1 }
        return last > start ? last : endOfBlanks(start, text)
    }

    /// `\s+(?!\S)|\s+`: blanks before a word leave the last of them to it.
    private static func endOfBlanks(_ start: Int, _ text: TextCursor) -> Int {
        var at = start, last = start
        while at < text.count {
            let (kind, length) = text.character(at: at)
            guard kind == .space else { return last > start ? last : at }
            last = at
            at += length
        }
        return at
    }

    private static func endOfLineEnds(_ start: Int, _ text: TextCursor) -> Int {
        var at = start
        while at < text.count, text[at] == UInt8(ascii: "\r") || text[at] == UInt8(ascii: "\n") { at += 1 }
        return at
    }

    /// `'s|'t|'re|'ve|'m|'ll|'d`.
    private static func contraction(_ start: Int, _ text: TextCursor, ignoringCase: Bool) -> Int? {
        func letter(_ index: Int) -> UInt8 {
            guard index < text.count else { return 0 }
            let byte = text[index]
            return ignoringCase && byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
        }
        let first = letter(start + 1)
        switch first {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return letter(start + 2) == UInt8(ascii: "e") ? start + 3 : nil
        case UInt8(ascii: "l"): return letter(start + 2) == UInt8(ascii: "l") ? start + 3 : nil
        // The long s, U+017F, is an s to those who ignore case.
        case 0xc5: return ignoringCase && letter(start + 2) == 0xbf ? start + 3 : nil
        default: return nil
        }
    }
}
