/// Builds the tree of a chat template. What is outside the subset is refused with its line, when the template is read.
struct TemplateParser {
    private let pieces: [TemplatePiece]
    private var at = 0
    private static let greatestDepth = 32

    init(_ template: String) throws(FormatError) {
        var lexer = TemplateLexer(template)
        pieces = try lexer.pieces()
    }

    mutating func parse() throws(FormatError) -> [TemplateStatement] {
        let (body, end, line) = try body(until: [], depth: 0)
        guard end == nil else { throw Self.fault(line, "\(end ?? "") has no beginning") }
        return body
    }

    /// Statements up to a tag of one of these names, which is consumed; its name and line.
    private mutating func body(until ends: Set<String>, depth: Int) throws(FormatError) -> ([TemplateStatement], String?, Int) {
        guard depth <= Self.greatestDepth else { throw Self.fault(0, "tags are nested deeper than \(Self.greatestDepth)") }
        var statements: [TemplateStatement] = []
        while at < pieces.count {
            switch pieces[at] {
            case .text(let text):
                statements.append(.text(text))
                at += 1
            case .output(let tokens, let line):
                var parser = TemplateExpressionParser(tokens, line: line)
                statements.append(.output(try parser.whole(), line: line))
                at += 1
            case .statement(let tokens, let line):
                guard case .name(let name)? = tokens.first else { throw Self.fault(line, "a tag must begin with its name") }
                if ends.contains(name) { return (statements, name, line) }
                statements.append(try statement(name, tokens, line, depth))
            }
        }
        guard ends.isEmpty else { throw Self.fault(0, "the template ends before \(ends.sorted().joined(separator: " or "))") }
        return (statements, nil, 0)
    }

    private mutating func statement(_ name: String, _ tokens: [TemplateToken], _ line: Int, _ depth: Int) throws(FormatError)
        -> TemplateStatement
    {
        at += 1
        var parser = TemplateExpressionParser(Array(tokens.dropFirst()), line: line)
        switch name {
        case "if": return try branch(try parser.whole(), line, depth)
        case "for": return try loop(&parser, line, depth)
        case "set":
            let target = try parser.identifier()
            let member = parser.take(".") ? try parser.identifier() : nil
            guard parser.take("=") else { throw Self.unsupported(line, "set needs one name and a value after =") }
            return .set(name: target, member: member, try parser.whole(), line: line)
        default:
            throw Self.unsupported(line, "the tag \(clipped(name)) is not supported; supported are if, for and set")
        }
    }

    private mutating func branch(_ first: TemplateExpression, _ line: Int, _ depth: Int) throws(FormatError) -> TemplateStatement {
        var arms: [(condition: TemplateExpression, body: [TemplateStatement])] = [], condition = first
        while true {
            let (body, end, endLine) = try body(until: ["elif", "else", "endif"], depth: depth + 1)
            arms.append((condition, body))
            let tokens = ending()
            switch end {
            case "elif":
                var parser = TemplateExpressionParser(Array(tokens.dropFirst()), line: endLine)
                condition = try parser.whole()
            case "else":
                let (otherwise, _, _) = try self.body(until: ["endif"], depth: depth + 1)
                _ = ending()
                return .branch(arms, otherwise: otherwise, line: line)
            default: return .branch(arms, otherwise: [], line: line)
            }
        }
    }

    private mutating func loop(_ parser: inout TemplateExpressionParser, _ line: Int, _ depth: Int) throws(FormatError) -> TemplateStatement
    {
        var names = [try parser.identifier()]
        while parser.take(",") { names.append(try parser.identifier()) }
        guard parser.takeName("in") else { throw Self.fault(line, "for needs in") }
        let over = try parser.expression(allowingCondition: false)
        let condition = parser.takeName("if") ? try parser.expression() : nil
        try parser.end()
        let (body, end, _) = try body(until: ["else", "endfor"], depth: depth + 1)
        _ = ending()
        var otherwise: [TemplateStatement] = []
        if end == "else" {
            (otherwise, _, _) = try self.body(until: ["endfor"], depth: depth + 1)
            _ = ending()
        }
        return .loop(names: names, over: over, condition: condition, body: body, otherwise: otherwise, line: line)
    }

    /// The tokens of the tag that ended a body.
    private mutating func ending() -> [TemplateToken] {
        defer { at += 1 }
        if at < pieces.count, case .statement(let tokens, _) = pieces[at] { return tokens }
        return []
    }

    static func fault(_ line: Int, _ reason: String) -> FormatError {
        FormatError(.malformed, file: ChatTemplate.name, place: line > 0 ? "line \(line)" : "", reason)
    }

    static func unsupported(_ line: Int, _ reason: String) -> FormatError {
        FormatError(.unsupported, file: ChatTemplate.name, place: "line \(line)", reason)
    }
}
