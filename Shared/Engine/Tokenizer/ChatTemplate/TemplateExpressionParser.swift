/// Expressions of chat templates, by descent with Jinja's precedence.
struct TemplateExpressionParser {
    private let tokens: [TemplateToken]
    private let line: Int
    private var at = 0
    private var depth = 0

    init(_ tokens: [TemplateToken], line: Int) {
        self.tokens = tokens
        self.line = line
    }

    /// The expression that all tokens make.
    mutating func whole() throws(FormatError) -> TemplateExpression {
        let expression = try expression()
        try end()
        return expression
    }

    func end() throws(FormatError) {
        guard at == tokens.count else { throw fault("something follows an expression") }
    }

    mutating func take(_ sign: String) -> Bool { takeToken(.sign(sign)) }

    mutating func takeName(_ name: String) -> Bool { takeToken(.name(name)) }

    mutating func identifier() throws(FormatError) -> String {
        guard at < tokens.count, case .name(let name) = tokens[at] else { throw fault("a name is missing") }
        at += 1
        return name
    }

    mutating func expression(allowingCondition: Bool = true) throws(FormatError) -> TemplateExpression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 64 else { throw fault("an expression is nested deeper than 64") }
        let value = try disjunction()
        guard allowingCondition, takeName("if") else { return value }
        let condition = try disjunction()
        let otherwise = takeName("else") ? try expression() : nil
        return .conditional(value, condition: condition, otherwise: otherwise)
    }

    private mutating func disjunction() throws(FormatError) -> TemplateExpression {
        var left = try conjunction()
        while takeName("or") { left = .binary("or", left, try conjunction()) }
        return left
    }

    private mutating func conjunction() throws(FormatError) -> TemplateExpression {
        var left = try negation()
        while takeName("and") { left = .binary("and", left, try negation()) }
        return left
    }

    private mutating func negation() throws(FormatError) -> TemplateExpression {
        var count = 0
        while takeName("not") { count += 1 }
        let value = try comparison()
        return count == 0 ? value : count % 2 == 1 ? .not(value) : .not(.not(value))
    }

    private mutating func comparison() throws(FormatError) -> TemplateExpression {
        var left = try sum()
        while true {
            if let sign = ["==", "!=", "<=", ">=", "<", ">"].first(where: { isNext(.sign($0)) }) {
                at += 1
                left = .binary(sign, left, try sum())
            } else if takeName("in") {
                left = .binary("in", left, try sum())
            } else if isNext(.name("not")), at + 1 < tokens.count, tokens[at + 1] == .name("in") {
                at += 2
                left = .not(.binary("in", left, try sum()))
            } else {
                return left
            }
        }
    }

    private mutating func sum() throws(FormatError) -> TemplateExpression {
        var left = try concatenation()
        while let sign = ["+", "-"].first(where: { isNext(.sign($0)) }) {
            at += 1
            left = .binary(sign, left, try concatenation())
        }
        return left
    }

    private mutating func concatenation() throws(FormatError) -> TemplateExpression {
        var left = try product()
        while take("~") { left = .binary("~", left, try product()) }
        return left
    }

    private mutating func product() throws(FormatError) -> TemplateExpression {
        var left = try unary()
        while let sign = ["*", "//", "%", "/"].first(where: { isNext(.sign($0)) }) {
            at += 1
            left = .binary(sign, left, try unary())
        }
        return left
    }

    private mutating func unary() throws(FormatError) -> TemplateExpression {
        let isNegative = take("-")
        var value = try postfix(try primary())
        while true {
            if take("|") {
                let name = try identifier()
                let (positional, named) = take("(") ? try arguments() : ([], [])
                value = .filter(value, name, positional, named: named)
            } else if takeName("is") {
                let isNegated = takeName("not")
                let name = try identifier()
                let argument: TemplateExpression? =
                    take("(") ? try arguments().0.first : ["divisibleby", "eq", "equalto", "in"].contains(name) ? try primary() : nil
                value = .test(value, name, argument, isNegated: isNegated)
            } else {
                return isNegative ? .negative(value) : value
            }
        }
    }

    private mutating func postfix(_ start: TemplateExpression) throws(FormatError) -> TemplateExpression {
        var value = start
        while true {
            if take(".") {
                value = .member(value, try identifier())
            } else if take("[") {
                value = try subscription(value)
            } else if take("(") {
                let (positional, named) = try arguments()
                value = .call(value, positional, named: named)
            } else {
                return value
            }
        }
    }

    private mutating func subscription(_ value: TemplateExpression) throws(FormatError) -> TemplateExpression {
        var parts: [TemplateExpression?] = [nil], isSlice = false
        while !take("]") {
            if take(":") {
                isSlice = true
                parts.append(nil)
                guard parts.count <= 3 else { throw fault("a slice has at most three parts") }
            } else {
                guard parts[parts.count - 1] == nil else { throw fault("a ] is missing") }
                parts[parts.count - 1] = try expression()
            }
        }
        if isSlice { return .slice(value, from: parts[0], to: parts[1], step: parts.count > 2 ? parts[2] : nil) }
        guard let key = parts[0] else { throw fault("an index is missing") }
        return .item(value, key)
    }

    private mutating func arguments() throws(FormatError) -> ([TemplateExpression], [(String, TemplateExpression)]) {
        var positional: [TemplateExpression] = [], named: [(String, TemplateExpression)] = []
        while !take(")") {
            if at + 1 < tokens.count, case .name(let name) = tokens[at], tokens[at + 1] == .sign("=") {
                at += 2
                named.append((name, try expression()))
            } else {
                positional.append(try expression())
            }
            guard take(",") || isNext(.sign(")")) else { throw fault("a ) is missing") }
        }
        return (positional, named)
    }

    private mutating func primary() throws(FormatError) -> TemplateExpression {
        guard at < tokens.count else { throw fault("an expression is missing") }
        let token = tokens[at]
        at += 1
        switch token {
        case .string(let text):
            var text = text
            // Neighbouring texts are one, as in Python.
            while at < tokens.count, case .string(let more) = tokens[at] {
                text += more
                at += 1
            }
            return .literal(.string(text))
        case .int(let value): return .literal(.int(value))
        case .double(let value): return .literal(.double(value))
        case .name(let name):
            switch name {
            case "true", "True": return .literal(.bool(true))
            case "false", "False": return .literal(.bool(false))
            case "none", "None": return .literal(.none)
            default: return .name(name)
            }
        case .sign("("):
            let value = try expression()
            if isNext(.sign(",")) { throw TemplateParser.unsupported(line, "tuples are not supported") }
            guard take(")") else { throw fault("a ) is missing") }
            return value
        case .sign("["):
            var items: [TemplateExpression] = []
            while !take("]") {
                items.append(try expression())
                guard take(",") || isNext(.sign("]")) else { throw fault("a ] is missing") }
            }
            return .list(items)
        case .sign("{"):
            var members: [(TemplateExpression, TemplateExpression)] = []
            while !take("}") {
                let key = try expression()
                guard take(":") else { throw fault("a : is missing") }
                members.append((key, try expression()))
                guard take(",") || isNext(.sign("}")) else { throw fault("a } is missing") }
            }
            return .dict(members)
        case .sign(let sign): throw fault("an unexpected \(sign)")
        }
    }

    private func isNext(_ token: TemplateToken) -> Bool { at < tokens.count && tokens[at] == token }

    private mutating func takeToken(_ token: TemplateToken) -> Bool {
        guard isNext(token) else { return false }
        at += 1
        return true
    }

    private func fault(_ reason: String) -> FormatError { TemplateParser.fault(line, reason) }
}
