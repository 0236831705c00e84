/// A piece of a chat template: text to be written, or the tokens of a tag.
enum TemplatePiece {
    case text(String)
    /// `{{ … }}`.
    case output([TemplateToken], line: Int)
    /// `{% … %}`.
    case statement([TemplateToken], line: Int)
}

/// A word of the template language.
enum TemplateToken: Equatable {
    case name(String)
    case string(String)
    case int(Int)
    case double(Double)
    case sign(String)
}

/// Cuts a template into text and tags (Jinja 2 with `trim_blocks` and `lstrip_blocks`, as transformers runs it).
struct TemplateLexer {
    private let source: [UInt8]
    private var at = 0
    private var line = 1

    init(_ template: String) {
        var source = Array(template.utf8)
        // Jinja drops one line end at the end of a template.
        if source.last == UInt8(ascii: "\n") { source.removeLast() }
        self.source = source
    }

    mutating func pieces() throws(FormatError) -> [TemplatePiece] {
        var pieces: [TemplatePiece] = []
        // Whether `text` begins where a line does.
        var text: [UInt8] = [], startsLine = true
        func flush() {
            if !text.isEmpty { pieces.append(.text(String(decoding: text, as: UTF8.self))) }
            text = []
        }
        while at < source.count {
            guard source[at] == UInt8(ascii: "{"), at + 1 < source.count, "{%#".utf8.contains(source[at + 1]) else {
                if source[at] == UInt8(ascii: "\n") { line += 1 }
                text.append(source[at])
                at += 1
                continue
            }
            let kind = source[at + 1], start = line
            at += 2
            if at < source.count, source[at] == UInt8(ascii: "-") {
                at += 1
                while let last = text.last, isBlank(last) { text.removeLast() }
            } else if kind != UInt8(ascii: "{") {
                // lstrip_blocks: blanks between the line's beginning and the tag go.
                let kept = text.reversed().drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                if kept.first == UInt8(ascii: "\n") || (kept.isEmpty && startsLine) { text = kept.reversed() }
            }
            flush()
            if kind == UInt8(ascii: "#") {
                try skipComment(start)
            } else {
                let tokens = try tokens(closing: kind == UInt8(ascii: "{") ? "}}" : "%}", start)
                pieces.append(kind == UInt8(ascii: "{") ? .output(tokens, line: start) : .statement(tokens, line: start))
            }
            startsLine = false
            if source[at - 3] == UInt8(ascii: "-") {
                while at < source.count, isBlank(source[at]) { advance() }
            } else if kind != UInt8(ascii: "{"), at < source.count, source[at] == UInt8(ascii: "\n") {
                advance()
                startsLine = true
            }
        }
        flush()
        return pieces
    }

    private mutating func advance() {
        if source[at] == UInt8(ascii: "\n") { line += 1 }
        at += 1
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    private mutating func skipComment(_ start: Int) throws(FormatError) {
        while at + 1 < source.count {
            if source[at] == UInt8(ascii: "#"), source[at + 1] == UInt8(ascii: "}") {
                at += 2
                return
            }
            advance()
        }
        throw fault(start, "a comment is not closed")
    }

    private mutating func tokens(closing: String, _ start: Int) throws(FormatError) -> [TemplateToken] {
        let close = Array(closing.utf8)
        var tokens: [TemplateToken] = [], depth = 0
        while at < source.count {
            let byte = source[at]
            if isBlank(byte) {
                advance()
                continue
            }
            if depth == 0 {
                if source[at...].starts(with: close) {
                    at += 2
                    return tokens
                }
                if byte == UInt8(ascii: "-"), source[(at + 1)...].starts(with: close) {
                    at += 3
                    return tokens
                }
            }
            let token = try next()
            if case .sign(let sign) = token {
                if "([{".contains(sign) { depth += 1 }
                if ")]}".contains(sign) { depth -= 1 }
            }
            tokens.append(token)
        }
        throw fault(start, "a tag is not closed by \(closing)")
    }

    private mutating func next() throws(FormatError) -> TemplateToken {
        let byte = source[at]
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string(byte))
        case 0x30...0x39: return try number()
        case UInt8(ascii: "_"), 0x41...0x5a, 0x61...0x7a:
            let start = at
            while at < source.count, isNamePart(source[at]) { at += 1 }
            return .name(String(decoding: source[start..<at], as: UTF8.self))
        default: break
        }
        for sign in ["==", "!=", "<=", ">=", "//", "**"] where source[at...].starts(with: sign.utf8) {
            at += 2
            return .sign(sign)
        }
        guard "()[]{}.,:|+-*/%~<>=".utf8.contains(byte) else { throw fault(line, "an unexpected character in a tag") }
        at += 1
        return .sign(String(decoding: [byte], as: UTF8.self))
    }

    private func isNamePart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private mutating func number() throws(FormatError) -> TemplateToken {
        let start = at
        while at < source.count, (0x30...0x39).contains(source[at]) { at += 1 }
        var isDouble = false
        if at + 1 < source.count, source[at] == UInt8(ascii: "."), (0x30...0x39).contains(source[at + 1]) {
            isDouble = true
            at += 1
            while at < source.count, (0x30...0x39).contains(source[at]) { at += 1 }
        }
        let text = String(decoding: source[start..<at], as: UTF8.self)
        if isDouble, let value = Double(text) { return .double(value) }
        guard let value = Int(text) else { throw fault(line, "a number is too large") }
        return .int(value)
    }

    private mutating func string(_ quote: UInt8) throws(FormatError) -> String {
        let start = line
        var out: [UInt8] = []
        at += 1
        while at < source.count, source[at] != quote {
            if source[at] == UInt8(ascii: "\\"), at + 1 < source.count {
                at += 1
                switch source[at] {
                case UInt8(ascii: "n"): out.append(0x0a)
                case UInt8(ascii: "t"): out.append(0x09)
                case UInt8(ascii: "r"): out.append(0x0d)
                case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): out.append(source[at])
                default: throw fault(line, "an escape in a text is not known")
                }
                at += 1
            } else {
                out.append(source[at])
                advance()
            }
        }
        guard at < source.count else { throw fault(start, "a text is not closed") }
        at += 1
        return String(decoding: out, as: UTF8.self)
    }

    private func fault(_ line: Int, _ reason: String) -> FormatError {
        FormatError(.malformed, file: ChatTemplate.name, place: "line \(line)", reason)
    }
}
