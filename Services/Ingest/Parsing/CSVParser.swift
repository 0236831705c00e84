internal import IngestDomain

/// Comma-separated values (RFC 4180) with a head: fields in quotes may hold commas, line breaks and doubled quotes. A row
/// with a stray quote or another number of fields is refused and the next one is read.
struct CSVParser: RowParser {
    private enum State {
        case fieldStart, plain, quoted, quoteInQuoted
        /// Behind a carriage return, which only ends a row together with a line feed.
        case returned
        /// After a fault: the rest of the line is passed over.
        case broken
    }

    private let file: String
    private let columns: ColumnMap
    private var names: [String: Int]?
    private var state = State.fieldStart
    private var fields: [[UInt8]] = []
    private var field: [UInt8] = []
    private var size = 0
    private var fault: (code: ReasonCode, reason: String)?
    private var beginning: [UInt8] = []
    /// The row in hand, from 1 after the head.
    private var row = 0

    init(file: String, columns: ColumnMap) {
        self.file = file
        self.columns = columns
    }

    mutating func feed(_ piece: [UInt8]) throws(ParsingError) -> [ParsedRow] {
        var rows: [ParsedRow] = []
        var index = 0
        while index < piece.count {
            if state == .broken {
                // The rest of a broken line is passed over at once, however long it is.
                let end = LineBreaks.next(in: piece, from: index)
                beginning += piece[index..<(end ?? piece.count)].prefix(max(0, 4096 - beginning.count))
                guard let end else { return rows }
                index = end
            }
            try take(piece[index], &rows)
            index += 1
        }
        return rows
    }

    mutating func finish() throws(ParsingError) -> [ParsedRow] {
        var rows: [ParsedRow] = []
        if state == .quoted { fault = fault ?? (.malformed, "a quoted field never ends") }
        if size > 0 { try endRow(&rows) }
        if names == nil { throw .malformed(file: file, reason: "there is no head with the columns' names") }
        return rows
    }

    private mutating func take(_ byte: UInt8, _ rows: inout [ParsedRow]) throws(ParsingError) {
        size += 1
        if beginning.count < 4096 { beginning.append(byte) }
        // A quote that never ends swallows the file: past the limit the row is given up at the next line break.
        if size > ParsingLimits.row, state != .broken { breakRow(.tooLarge, "the row has more than \(ParsingLimits.row) bytes") }
        switch (state, byte) {
        case (.broken, 0x0a): try endRow(&rows)
        case (.broken, _): break
        case (.quoted, UInt8(ascii: "\"")): state = .quoteInQuoted
        case (.quoted, _): field.append(byte)
        case (.quoteInQuoted, UInt8(ascii: "\"")):
            field.append(byte)
            state = .quoted
        case (_, 0x0a): try endRow(&rows)
        case (.returned, _): breakRow(.malformed, "a carriage return stands within a field without quotes")
        case (_, 0x0d): state = .returned
        case (_, UInt8(ascii: ",")): endField()
        case (.fieldStart, UInt8(ascii: "\"")): state = .quoted
        case (.quoteInQuoted, _): breakRow(.malformed, "something stands behind a closing quote")
        case (.plain, UInt8(ascii: "\"")): breakRow(.malformed, "a quote stands within a field that does not begin with one")
        default:
            field.append(byte)
            state = .plain
        }
    }

    private mutating func endField() {
        fields.append(field)
        field.removeAll(keepingCapacity: true)
        state = .fieldStart
        if fields.count > ParsingLimits.columns { breakRow(.malformed, "the row has more than \(ParsingLimits.columns) fields") }
    }

    private mutating func breakRow(_ code: ReasonCode, _ reason: String) {
        fault = (code, reason)
        state = .broken
        fields.removeAll()
        field.removeAll()
    }

    private mutating func endRow(_ rows: inout [ParsedRow]) throws(ParsingError) {
        if state != .broken { endField() }
        defer {
            fields.removeAll(keepingCapacity: true)
            field.removeAll(keepingCapacity: true)
            beginning.removeAll(keepingCapacity: true)
            size = 0
            fault = nil
            state = .fieldStart
        }
        // A blank line is no row.
        if fault == nil, fields.count == 1, fields[0].isEmpty { return }
        guard let names else { return try readHead() }
        row += 1
        if let fault { return rows.append(refused(fault.code, fault.reason)) }
        guard fields.count == names.count else {
            return rows.append(refused(.malformed, "the row has \(fields.count) fields and the head \(names.count)"))
        }
        for field in fields where UnicodeText.firstInvalid(field) != nil {
            return rows.append(refused(.invalidEncoding, "the row is not UTF-8"))
        }
        let fields = fields
        rows.append(
            .content(columns.content(file: file, row: row) { name in names[name].map { String(decoding: fields[$0], as: UTF8.self) } }))
    }

    private mutating func readHead() throws(ParsingError) {
        if let fault { throw .malformed(file: file, reason: "the head cannot be read: \(fault.reason)") }
        if fields[0].starts(with: [0xef, 0xbb, 0xbf]) { fields[0].removeFirst(3) }
        var names: [String: Int] = [:]
        for (index, field) in fields.enumerated() {
            guard let name = String(validating: field, as: UTF8.self) else { throw .malformed(file: file, reason: "the head is not UTF-8") }
            guard names.updateValue(index, forKey: name) == nil else {
                throw .malformed(file: file, reason: "the head has two columns '\(name)'")
            }
        }
        self.names = names
    }

    private func refused(_ code: ReasonCode, _ reason: String) -> ParsedRow {
        .refused(RefusedRow(file: file, row: row, code: code, reason: reason, beginning: beginning))
    }
}
