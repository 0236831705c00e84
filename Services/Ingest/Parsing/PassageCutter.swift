internal import IngestDomain

/// Cuts text into passages: whole paragraphs, joined up to a passage's size, so that each stands for itself. A paragraph
/// that is longer is cut at a line or sentence.
struct PassageCutter {
    private let file: String
    private let target: Int
    private var passage: [UInt8] = []
    private var paragraph: [UInt8] = []
    private var row = 0

    /// - Parameter target: passages are not joined beyond so many bytes.
    init(file: String, target: Int = 2_000) {
        self.file = file
        self.target = target
    }

    /// Takes a line without its break.
    mutating func take(line: ArraySlice<UInt8>, _ rows: inout [ParsedRow]) {
        let trimmed = Self.trimmed(line)
        if trimmed.isEmpty { return endParagraph(&rows) }
        if !paragraph.isEmpty { paragraph.append(0x0a) }
        paragraph += trimmed
        while paragraph.count > ParsingLimits.passage {
            let cut = Self.cut(paragraph)
            let rest = Array(paragraph[cut...])
            paragraph.removeLast(paragraph.count - cut)
            endParagraph(&rows)
            paragraph = Array(Self.trimmed(rest[...]))
        }
    }

    mutating func finish(_ rows: inout [ParsedRow]) {
        endParagraph(&rows)
        emit(&rows)
    }

    private mutating func endParagraph(_ rows: inout [ParsedRow]) {
        if paragraph.isEmpty { return }
        if !passage.isEmpty, passage.count + paragraph.count + 2 > target { emit(&rows) }
        if !passage.isEmpty { passage += [0x0a, 0x0a] }
        passage += paragraph
        paragraph.removeAll(keepingCapacity: true)
    }

    private mutating func emit(_ rows: inout [ParsedRow]) {
        if passage.isEmpty { return }
        row += 1
        if UnicodeText.firstInvalid(passage) != nil {
            rows.append(
                .refused(RefusedRow(file: file, row: row, code: .invalidEncoding, reason: "the passage is not UTF-8", beginning: passage)))
        } else {
            rows.append(.content(ItemContent(text: String(decoding: passage, as: UTF8.self), file: file, row: row)))
        }
        passage.removeAll(keepingCapacity: true)
    }

    /// Where to cut a paragraph that is too long: behind the last line break, sentence or blank within the limit, else
    /// before a character.
    private static func cut(_ text: [UInt8]) -> Int {
        let window = text[..<ParsingLimits.passage]
        if let line = window.lastIndex(of: 0x0a), line > window.count / 2 { return line + 1 }
        for index in window.indices.dropLast().reversed() where index > window.count / 2 {
            if window[index] == UInt8(ascii: "."), window[index + 1] == 0x20 { return index + 1 }
        }
        if let blank = window.lastIndex(of: 0x20), blank > window.count / 2 { return blank + 1 }
        var cut = window.endIndex
        while cut > 1, text[cut] & 0xc0 == 0x80, cut > window.endIndex - 4 { cut -= 1 }
        return cut
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        while let last = line.last, last == 0x20 || last == 0x09 || last == 0x0d { line.removeLast() }
        while let first = line.first, first == 0x20 || first == 0x09 { line.removeFirst() }
        return line
    }
}
