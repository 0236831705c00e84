/// Runs a template's tree: no files, no attributes of the host, a bound on steps and on output.
struct TemplateEvaluator {
    static let greatestSteps = 1_000_000
    static let greatestOutput = 16 << 20

    private(set) var output = ""
    private var scopes: [[String: TemplateValue]]
    private var namespaces: [[String: TemplateValue]] = []
    private var steps = 0
    private var line = 0

    init(_ variables: [String: TemplateValue]) { scopes = [variables] }

    mutating func run(_ statements: [TemplateStatement]) throws(FormatError) {
        for statement in statements { try run(statement) }
    }

    private mutating func run(_ statement: TemplateStatement) throws(FormatError) {
        try tick()
        switch statement {
        case .text(let text): try write(text)
        case .output(let expression, let line):
            self.line = line
            let value = try evaluate(expression)
            guard let text = value.text else { throw fault("\(value.kind) cannot be written; use tojson") }
            try write(text)
        case .branch(let arms, let otherwise, let line):
            for arm in arms {
                self.line = line
                if try evaluate(arm.condition).isTrue { return try run(arm.body) }
            }
            try run(otherwise)
        case .loop(let names, let over, let condition, let body, let otherwise, let line):
            self.line = line
            try loop(names, try items(try evaluate(over)), condition, body, otherwise)
        case .set(let name, let member, let expression, let line):
            self.line = line
            let value = try evaluate(expression)
            guard let member else {
                scopes[scopes.count - 1][name] = value
                return
            }
            guard case .namespace(let index) = lookUp(name) else { throw fault("\(name) is no namespace") }
            namespaces[index][member] = value
        }
    }

    private mutating func loop(
        _ names: [String], _ items: [TemplateValue], _ condition: TemplateExpression?, _ body: [TemplateStatement],
        _ otherwise: [TemplateStatement]
    ) throws(FormatError) {
        // Jinja filters before it counts.
        var kept: [[String: TemplateValue]] = []
        for item in items {
            try tick()
            let scope = try bind(names, item)
            if let condition {
                scopes.append(scope)
                defer { scopes.removeLast() }
                guard try evaluate(condition).isTrue else { continue }
            }
            kept.append(scope)
        }
        if kept.isEmpty { return try run(otherwise) }
        for (index, scope) in kept.enumerated() {
            var scope = scope
            scope["loop"] = .dict([
                ("index", .int(index + 1)), ("index0", .int(index)), ("first", .bool(index == 0)),
                ("last", .bool(index == kept.count - 1)), ("length", .int(kept.count)), ("revindex", .int(kept.count - index)),
                ("revindex0", .int(kept.count - index - 1)),
                ("previtem", index > 0 && names.count == 1 ? kept[index - 1][names[0]] ?? .none : .undefined("loop.previtem")),
                ("nextitem", index + 1 < kept.count && names.count == 1 ? kept[index + 1][names[0]] ?? .none : .undefined("loop.nextitem")),
            ])
            scopes.append(scope)
            defer { scopes.removeLast() }
            try run(body)
        }
    }

    private func bind(_ names: [String], _ item: TemplateValue) throws(FormatError) -> [String: TemplateValue] {
        if names.count == 1 { return [names[0]: item] }
        guard case .list(let parts) = item, parts.count == names.count else {
            throw fault("\(item.kind) cannot be taken apart into \(names.count)")
        }
        return Dictionary(zip(names, parts)) { $1 }
    }

    private func items(_ value: TemplateValue) throws(FormatError) -> [TemplateValue] {
        switch value {
        case .list(let items): return items
        case .dict(let members): return members.map { .string($0.key) }
        case .string(let text): return text.unicodeScalars.map { .string(String($0)) }
        default: throw fault("\(value.kind) cannot be gone through")
        }
    }

    private mutating func evaluate(_ expression: TemplateExpression) throws(FormatError) -> TemplateValue {
        try tick()
        switch expression {
        case .literal(let value): return value
        case .name(let name): return lookUp(name)
        case .list(let items):
            var values: [TemplateValue] = []
            for item in items { try values.append(evaluate(item)) }
            return .list(values)
        case .dict(let members):
            var values: [(key: String, value: TemplateValue)] = []
            for (key, value) in members {
                guard case .string(let key) = try evaluate(key) else { throw fault("a key must be a text") }
                values.removeAll { $0.key == key }
                values.append((key, try evaluate(value)))
            }
            return .dict(values)
        case .member(let base, let name): return try member(try evaluate(base), name)
        case .item(let base, let key): return try item(try evaluate(base), try evaluate(key))
        case .slice(let base, let from, let to, let step):
            let base = try evaluate(base)
            let parts = (try bound(from), try bound(to), try bound(step))
            return try slice(base, parts.0, parts.1, parts.2 ?? 1)
        case .not(let value): return .bool(!(try evaluate(value).isTrue))
        case .negative(let value):
            switch try evaluate(value) {
            case .int(let number) where number != .min: return .int(-number)
            case .double(let number): return .double(-number)
            case let other: throw fault("\(other.kind) has no negative")
            }
        case .conditional(let value, let condition, let otherwise):
            if try evaluate(condition).isTrue { return try evaluate(value) }
            return try otherwise.map { (other) throws(FormatError) in try evaluate(other) } ?? .undefined("the other case of a condition")
        case .binary(let sign, let left, let right): return try binary(sign, left, right)
        case .test(let value, let name, let argument, let isNegated):
            let value = try evaluate(value)
            let argument = try argument.map { (argument) throws(FormatError) in try evaluate(argument) }
            guard let result = TemplateFunctions.test(name, value, argument) else { throw unsupported("the test \(clipped(name))") }
            return .bool(result != isNegated)
        case .filter(let value, let name, let positional, let named):
            let value = try evaluate(value)
            let arguments = try self.arguments(positional, named)
            if case .undefined = value, name != "default", name != "d" { throw fault("\(value.kind) cannot be given to \(name)") }
            guard let result = try TemplateFunctions.filter(name, value, arguments, fault) else {
                throw unsupported("the filter \(clipped(name))")
            }
            return result
        case .call(let callee, let positional, let named): return try call(callee, try arguments(positional, named))
        }
    }

    private mutating func arguments(
        _ positional: [TemplateExpression], _ named: [(String, TemplateExpression)]
    ) throws(FormatError) -> TemplateArguments {
        var arguments = TemplateArguments()
        for expression in positional { arguments.positional.append(try evaluate(expression)) }
        for (name, expression) in named { arguments.named.append((name, try evaluate(expression))) }
        return arguments
    }

    private mutating func call(_ callee: TemplateExpression, _ arguments: TemplateArguments) throws(FormatError) -> TemplateValue {
        if case .member(let base, let name) = callee {
            let value = try evaluate(base)
            guard let result = try TemplateFunctions.method(name, of: value, arguments, fault) else {
                throw unsupported("the method \(clipped(name)) of \(value.kind)")
            }
            return result
        }
        guard case .name(let name) = callee else { throw unsupported("calling this") }
        switch name {
        case "raise_exception":
            throw FormatError(
                .mismatch, file: ChatTemplate.name, place: "line \(line)",
                clipped(arguments.positional.first?.text ?? "the template refuses"))
        case "namespace":
            namespaces.append(Dictionary(arguments.named) { $1 })
            return .namespace(namespaces.count - 1)
        case "range":
            let bounds = arguments.positional.compactMap { if case .int(let value) = $0 { value } else { nil } }
            guard (1...2).contains(bounds.count), bounds.count == arguments.positional.count else {
                throw fault("range needs one or two integers")
            }
            let (from, to) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
            guard from >= to || to.subtractingReportingOverflow(from).partialValue <= 100_000, from > -1_000_000_000, to < 1_000_000_000
            else {
                throw fault("range is too long")
            }
            return .list(from < to ? (from..<to).map { .int($0) } : [])
        default: throw unsupported("the function \(clipped(name))")
        }
    }

    private func lookUp(_ name: String) -> TemplateValue {
        for scope in scopes.reversed() { if let value = scope[name] { return value } }
        return ["raise_exception", "namespace", "range"].contains(name) ? .function(name) : .undefined(name)
    }

    private func member(_ base: TemplateValue, _ name: String) throws(FormatError) -> TemplateValue {
        switch base {
        case .dict(let members): return members.first { $0.key == name }?.value ?? .undefined(name)
        case .namespace(let index): return namespaces[index][name] ?? .undefined(name)
        case .undefined: throw fault("\(base.kind) has no \(clipped(name))")
        default: return .undefined(name)
        }
    }

    private func item(_ base: TemplateValue, _ key: TemplateValue) throws(FormatError) -> TemplateValue {
        switch (base, key) {
        case (.dict, .string(let name)), (.namespace, .string(let name)): return try member(base, name)
        case (.list(let items), .int(let index)):
            let place = index < 0 ? index + items.count : index
            return items.indices.contains(place) ? items[place] : .undefined("item \(index)")
        case (.string(let text), .int(let index)):
            let scalars = Array(text.unicodeScalars), place = index < 0 ? index + scalars.count : index
            return scalars.indices.contains(place) ? .string(String(scalars[place])) : .undefined("item \(index)")
        case (.undefined, _): throw fault("\(base.kind) has no items")
        default: return .undefined("an item of \(base.kind)")
        }
    }

    private mutating func bound(_ expression: TemplateExpression?) throws(FormatError) -> Int? {
        guard let expression else { return nil }
        switch try evaluate(expression) {
        case .int(let value): return value
        case .none: return nil
        case let other: throw fault("a slice needs integers, not \(other.kind)")
        }
    }

    private func slice(_ base: TemplateValue, _ from: Int?, _ to: Int?, _ step: Int) throws(FormatError) -> TemplateValue {
        guard step == 1 || (step == -1 && from == nil && to == nil) else { throw unsupported("slicing in other steps than 1") }
        func cut<Element>(_ items: [Element]) -> [Element] {
            if step == -1 { return items.reversed() }
            func place(_ index: Int) -> Int { min(items.count, max(0, index < 0 ? index + items.count : index)) }
            let start = place(from ?? 0), end = place(to ?? items.count)
            return start < end ? Array(items[start..<end]) : []
        }
        switch base {
        case .list(let items): return .list(cut(items))
        case .string(let text): return .string(String(String.UnicodeScalarView(cut(Array(text.unicodeScalars)))))
        default: throw fault("\(base.kind) cannot be sliced")
        }
    }

    private mutating func binary(_ sign: String, _ left: TemplateExpression, _ right: TemplateExpression) throws(FormatError)
        -> TemplateValue
    {
        let a = try evaluate(left)
        if sign == "and" { return a.isTrue ? try evaluate(right) : a }
        if sign == "or" { return a.isTrue ? a : try evaluate(right) }
        let b = try evaluate(right)
        guard let result = TemplateFunctions.binary(sign, a, b) else { throw fault("\(a.kind) \(sign) \(b.kind) has no meaning") }
        // Doubling something forty times must not take the memory that it would.
        let size = if case .string(let text) = result { text.utf8.count } else if case .list(let items) = result { items.count } else { 0 }
        guard size <= Self.greatestOutput else {
            throw FormatError(.tooLarge, file: ChatTemplate.name, place: "line \(line)", "makes a value of \(size)")
        }
        return result
    }

    private mutating func write(_ text: String) throws(FormatError) {
        output += text
        guard output.utf8.count <= Self.greatestOutput else {
            throw FormatError(.tooLarge, file: ChatTemplate.name, "writes more than \(Self.greatestOutput) bytes")
        }
    }

    private mutating func tick() throws(FormatError) {
        steps += 1
        guard steps <= Self.greatestSteps else {
            throw FormatError(.tooLarge, file: ChatTemplate.name, "takes more than \(Self.greatestSteps) steps")
        }
    }

    private func fault(_ reason: String) -> FormatError { TemplateParser.fault(line, reason) }

    private func unsupported(_ what: String) -> FormatError { TemplateParser.unsupported(line, "\(what) is not supported") }
}
