internal import IngestDomain
internal import JSON

/// JSON Lines: one object a line, strict JSON, UTF-8. A bad line is refused and the next one is read.
struct JSONLinesParser: RowParser {
    private let file: String
    private let columns: ColumnMap
    private var pending: [UInt8] = []
    /// Whether the line in hand is too long and its rest is being skipped.
    private var isSkipping = false
    private var row = 0

    init(file: String, columns: ColumnMap) {
        self.file = file
        self.columns = columns
    }

    mutating func feed(_ piece: [UInt8]) throws(ParsingError) -> [ParsedRow] {
        var rows: [ParsedRow] = []
        var start = 0
        while let end = LineBreaks.next(in: piece, from: start) {
            try take(piece[start..<end], &rows)
            endLine(&rows)
            start = end + 1
        }
        try take(piece[start...], &rows)
        return rows
    }

    mutating func finish() throws(ParsingError) -> [ParsedRow] {
        var rows: [ParsedRow] = []
        if !pending.isEmpty || isSkipping { endLine(&rows) }
        return rows
    }

    private mutating func take(_ part: ArraySlice<UInt8>, _ rows: inout [ParsedRow]) throws(ParsingError) {
        if isSkipping || part.isEmpty { return }
        pending += part
        guard pending.count > ParsingLimits.row else { return }
        row += 1
        rows.append(refused(.tooLarge, "the line has more than \(ParsingLimits.row) bytes"))
        pending.removeAll()
        isSkipping = true
    }

    private mutating func endLine(_ rows: inout [ParsedRow]) {
        defer { pending.removeAll(keepingCapacity: true) }
        if isSkipping {
            isSkipping = false
            return
        }
        row += 1
        if pending.last == 0x0d { pending.removeLast() }
        if row == 1, pending.starts(with: [0xef, 0xbb, 0xbf]) { pending.removeFirst(3) }
        if pending.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return }
        if let place = UnicodeText.firstInvalid(pending) {
            rows.append(refused(.invalidEncoding, "byte \(place + 1) of the line is not UTF-8"))
            return
        }
        do {
            guard case .object(let object) = try JSON.parse(pending, limits: JSONLimits(bytes: ParsingLimits.row)) else {
                rows.append(refused(.malformed, "the line is no JSON object"))
                return
            }
            if let name = columns.columns.values.sorted().first(where: { Self.isNested(object[$0]) }) {
                rows.append(refused(.malformed, "the column '\(name)' holds a list or an object, and text is wanted"))
                return
            }
            rows.append(.content(columns.content(file: file, row: row) { object[$0].flatMap(Self.text) }))
        } catch {
            rows.append(refused(.malformed, "\(error)"))
        }
    }

    private static func isNested(_ value: JSONValue?) -> Bool {
        switch value {
        case .array, .object: true
        default: false
        }
    }

    /// Texts as they are; numbers and booleans as JSON writes them; lists and objects are no text.
    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .int, .double, .bool: String(decoding: JSON.write(value), as: UTF8.self)
        default: nil
        }
    }

    private func refused(_ code: ReasonCode, _ reason: String) -> ParsedRow {
        .refused(RefusedRow(file: file, row: row, code: code, reason: reason, beginning: pending))
    }
}
