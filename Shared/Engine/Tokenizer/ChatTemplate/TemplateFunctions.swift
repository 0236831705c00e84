/// The filters, tests, methods and operators of chat templates, as Jinja 2 and Python define them. Nil: there is none such.
enum TemplateFunctions {
    static func test(_ name: String, _ value: TemplateValue, _ argument: TemplateValue?) -> Bool? {
        switch (name, value) {
        case ("defined", .undefined): false
        case ("defined", _): true
        case ("undefined", .undefined): true
        case ("undefined", _): false
        case ("none", .none): true
        case ("none", _): false
        case ("string", .string): true
        case ("string", _): false
        case ("mapping", .dict): true
        case ("mapping", _): false
        case ("iterable", .string), ("iterable", .list), ("iterable", .dict): true
        case ("iterable", _): false
        case ("sequence", .string), ("sequence", .list), ("sequence", .dict): true
        case ("sequence", _): false
        case ("boolean", .bool): true
        case ("boolean", _): false
        case ("number", _): value.number != nil
        case ("integer", .int): true
        case ("integer", _): false
        case ("true", .bool(let truth)): truth
        case ("true", _): false
        case ("false", .bool(let truth)): !truth
        case ("false", _): false
        case ("odd", .int(let number)): number % 2 != 0
        case ("even", .int(let number)): number % 2 == 0
        case ("eq", _), ("equalto", _): argument.map { TemplateValue.equal(value, $0) }
        case ("in", _): argument.flatMap { contains($0, value) }
        default: nil
        }
    }

    static func filter(
        _ name: String, _ value: TemplateValue, _ arguments: TemplateArguments, _ fault: (String) -> FormatError
    ) throws(FormatError) -> TemplateValue? {
        switch (name, value) {
        case ("default", _), ("d", _):
            let other = arguments.positional.first ?? .string("")
            if case .undefined = value { return other }
            let replacesFalse = arguments.positional.count > 1 && arguments.positional[1].isTrue
            return replacesFalse && !value.isTrue ? other : value
        case ("tojson", _):
            guard arguments.positional.isEmpty, arguments.named.allSatisfy({ $0.0 == "ensure_ascii" }) else {
                throw fault("tojson with an indent is not supported")
            }
            guard let json = value.json() else { throw fault("\(value.kind) cannot be written as JSON") }
            return .string(json)
        case ("trim", .string(let text)): return .string(trimmed(text, arguments.text(0)))
        case ("upper", .string(let text)): return .string(text.uppercased())
        case ("lower", .string(let text)): return .string(text.lowercased())
        case ("capitalize", .string(let text)): return .string(text.prefix(1).uppercased() + text.dropFirst().lowercased())
        case ("replace", .string): return try method("replace", of: value, arguments, fault)
        case ("string", _): return value.text.map { .string($0) }
        case ("safe", .string): return value
        case ("int", .string(let text)): return .int(Int(trimmed(text, nil)) ?? 0)
        case ("int", .int): return value
        case ("items", .dict): return try method("items", of: value, arguments, fault)
        case ("length", .string(let text)), ("count", .string(let text)): return .int(text.unicodeScalars.count)
        case ("length", .list(let items)), ("count", .list(let items)): return .int(items.count)
        case ("length", .dict(let members)), ("count", .dict(let members)): return .int(members.count)
        case ("first", .list(let items)): return items.first ?? .undefined("the first of no items")
        case ("last", .list(let items)): return items.last ?? .undefined("the last of no items")
        case ("list", .list): return value
        case ("join", .list(let items)):
            let texts = items.compactMap(\.text)
            return texts.count == items.count ? .string(texts.joined(separator: arguments.text(0) ?? "")) : nil
        default: return nil
        }
    }

    static func method(
        _ name: String, of value: TemplateValue, _ arguments: TemplateArguments, _ fault: (String) -> FormatError
    ) throws(FormatError) -> TemplateValue? {
        switch (name, value) {
        case ("strip", .string(let text)): return .string(trimmed(text, arguments.text(0)))
        case ("lstrip", .string(let text)): return .string(trimmed(text, arguments.text(0), atEnd: false))
        case ("rstrip", .string(let text)): return .string(trimmed(text, arguments.text(0), atStart: false))
        case ("upper", .string(let text)): return .string(text.uppercased())
        case ("lower", .string(let text)): return .string(text.lowercased())
        case ("startswith", .string(let text)): return arguments.text(0).map { .bool(text.utf8.starts(with: $0.utf8)) }
        case ("endswith", .string(let text)):
            return arguments.text(0).map { .bool(text.utf8.reversed().starts(with: $0.utf8.reversed())) }
        case ("split", .string(let text)):
            guard let separator = arguments.text(0), !separator.isEmpty, arguments.positional.count == 1 else {
                throw fault("split needs one text")
            }
            return .list(split(Array(text.utf8), Array(separator.utf8)).map { .string(String(decoding: $0, as: UTF8.self)) })
        case ("replace", .string(let text)):
            guard let old = arguments.text(0), let new = arguments.text(1), !old.isEmpty else { throw fault("replace needs two texts") }
            let parts = split(Array(text.utf8), Array(old.utf8)).map { String(decoding: $0, as: UTF8.self) }
            return .string(parts.joined(separator: new))
        case ("items", .dict(let members)): return .list(members.map { .list([.string($0.key), $0.value]) })
        case ("keys", .dict(let members)): return .list(members.map { .string($0.key) })
        case ("values", .dict(let members)): return .list(members.map(\.value))
        case ("get", .dict(let members)):
            guard let key = arguments.text(0) else { throw fault("get needs a text") }
            return members.first { $0.key == key }?.value ?? (arguments.positional.count > 1 ? arguments.positional[1] : TemplateValue.none)
        default: return nil
        }
    }

    static func binary(_ sign: String, _ a: TemplateValue, _ b: TemplateValue) -> TemplateValue? {
        switch sign {
        case "==": return .bool(TemplateValue.equal(a, b))
        case "!=": return .bool(!TemplateValue.equal(a, b))
        case "in": return contains(b, a).map { .bool($0) }
        case "~": if let x = a.text, let y = b.text { return .string(x + y) } else { return nil }
        case "<", "<=", ">", ">=": return order(sign, a, b)
        default: break
        }
        switch (sign, a, b) {
        case ("+", .string(let x), .string(let y)): return .string(x + y)
        case ("+", .list(let x), .list(let y)): return .list(x + y)
        case (_, .int(let x), .int(let y)): return integer(sign, x, y)
        default:
            guard let x = a.number, let y = b.number else { return nil }
            switch sign {
            case "+": return .double(x + y)
            case "-": return .double(x - y)
            case "*": return .double(x * y)
            case "/": return y == 0 ? nil : .double(x / y)
            default: return nil
            }
        }
    }

    private static func integer(_ sign: String, _ x: Int, _ y: Int) -> TemplateValue? {
        let result: (partialValue: Int, overflow: Bool)
        switch sign {
        case "+": result = x.addingReportingOverflow(y)
        case "-": result = x.subtractingReportingOverflow(y)
        case "*": result = x.multipliedReportingOverflow(by: y)
        case "/": return y == 0 ? nil : .double(Double(x) / Double(y))
        case "//", "%":
            guard y > 0, x > .min else { return nil }
            // Python rounds towards minus infinity.
            let remainder = (x % y + y) % y
            return .int(sign == "%" ? remainder : (x - remainder) / y)
        default: return nil
        }
        return result.overflow ? nil : .int(result.partialValue)
    }

    private static func order(_ sign: String, _ a: TemplateValue, _ b: TemplateValue) -> TemplateValue? {
        let isLess: Bool, isEqual: Bool
        if let x = a.number, let y = b.number {
            (isLess, isEqual) = (x < y, x == y)
        } else if case (.string(let x), .string(let y)) = (a, b) {
            (isLess, isEqual) = (x.utf8.lexicographicallyPrecedes(y.utf8), x.utf8.elementsEqual(y.utf8))
        } else {
            return nil
        }
        switch sign {
        case "<": return .bool(isLess)
        case "<=": return .bool(isLess || isEqual)
        case ">": return .bool(!isLess && !isEqual)
        default: return .bool(!isLess)
        }
    }

    private static func contains(_ whole: TemplateValue, _ part: TemplateValue) -> Bool? {
        switch (whole, part) {
        case (.list(let items), _): items.contains { TemplateValue.equal($0, part) }
        case (.dict(let members), .string(let key)): members.contains { $0.key == key }
        case (.string(let text), .string(let piece)): piece.isEmpty || split(Array(text.utf8), Array(piece.utf8)).count > 1
        default: nil
        }
    }

    private static func split(_ text: [UInt8], _ separator: [UInt8]) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = [], from = 0, at = 0
        while at + separator.count <= text.count {
            if text[at] == separator[0], text[at...].starts(with: separator) {
                parts.append(text[from..<at])
                at += separator.count
                from = at
            } else {
                at += 1
            }
        }
        return parts + [text[from...]]
    }

    /// Python's `strip`: blanks, or the characters given.
    private static func trimmed(_ text: String, _ characters: String?, atStart: Bool = true, atEnd: Bool = true) -> String {
        let set = characters.map { Set($0.unicodeScalars) }
        func goes(_ scalar: Unicode.Scalar) -> Bool {
            set.map { $0.contains(scalar) } ?? (CharacterClass.of(scalar.value) == .space || (0x1c...0x1f).contains(scalar.value))
        }
        var scalars = text.unicodeScalars[...]
        while atStart, let first = scalars.first, goes(first) { scalars.removeFirst() }
        while atEnd, let last = scalars.last, goes(last) { scalars.removeLast() }
        return String(scalars)
    }
}
