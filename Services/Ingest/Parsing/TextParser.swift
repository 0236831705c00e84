internal import IngestDomain

/// Plain text and Markdown, cut into passages. Markdown stays as it is written: it is how models read structure.
struct TextParser: RowParser {
    private var cutter: PassageCutter
    private var pending: [UInt8] = []
    private var isFirst = true

    init(file: String) { cutter = PassageCutter(file: file) }

    mutating func feed(_ piece: [UInt8]) throws(ParsingError) -> [ParsedRow] {
        var rows: [ParsedRow] = []
        var start = 0
        while let end = piece[start...].firstIndex(where: { $0 == 0x0a || $0 == 0x0c }) {
            pending += piece[start..<end]
            takeLine(&rows)
            // A form feed ends a page.
            if piece[end] == 0x0c { cutter.take(line: [], &rows) }
            start = end + 1
        }
        pending += piece[start...]
        // A line that goes on and on is cut like any other: memory stays bounded.
        while pending.count > 2 * ParsingLimits.passage {
            var cut = ParsingLimits.passage
            while cut > ParsingLimits.passage - 4, pending[cut] & 0xc0 == 0x80 { cut -= 1 }
            cutter.take(line: pending[..<cut], &rows)
            pending.removeFirst(cut)
        }
        return rows
    }

    mutating func finish() throws(ParsingError) -> [ParsedRow] {
        var rows: [ParsedRow] = []
        takeLine(&rows)
        cutter.finish(&rows)
        return rows
    }

    private mutating func takeLine(_ rows: inout [ParsedRow]) {
        if isFirst, pending.starts(with: [0xef, 0xbb, 0xbf]) { pending.removeFirst(3) }
        isFirst = false
        cutter.take(line: pending[...], &rows)
        pending.removeAll(keepingCapacity: true)
    }
}
