/// A value while a chat template runs.
indirect enum TemplateValue: Sendable {
    case undefined(String)
    case none
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case list([TemplateValue])
    case dict([(key: String, value: TemplateValue)])
    /// The members of a `namespace(…)`, by its number.
    case namespace(Int)
    /// A function of the interpreter, by its name.
    case function(String)

    /// Jinja's truth.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .double(let value): value != 0
        case .string(let text): !text.isEmpty
        case .list(let items): !items.isEmpty
        case .dict(let members): !members.isEmpty
        case .namespace, .function: true
        }
    }

    /// As Python's `str` writes it; nil for what templates have no reason to print.
    var text: String? {
        switch self {
        case .undefined: ""
        case .none: "None"
        case .bool(let value): value ? "True" : "False"
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let text): text
        case .list, .dict, .namespace, .function: nil
        }
    }

    /// What sort it is, for messages.
    var kind: String {
        switch self {
        case .undefined(let name): "\(clipped(name)), which is undefined"
        case .none: "none"
        case .bool: "a truth value"
        case .int, .double: "a number"
        case .string: "a text"
        case .list: "a list"
        case .dict: "a mapping"
        case .namespace: "a namespace"
        case .function: "a function"
        }
    }

    /// Python's `==` for what templates compare. Texts byte by byte.
    static func equal(_ a: TemplateValue, _ b: TemplateValue) -> Bool {
        switch (a, b) {
        case (.none, .none), (.undefined, .undefined): true
        case (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
        case (.list(let x), .list(let y)): x.count == y.count && zip(x, y).allSatisfy { equal($0, $1) }
        case (.dict(let x), .dict(let y)):
            x.count == y.count && x.allSatisfy { member in y.contains { $0.key == member.key && equal($0.value, member.value) } }
        case (.namespace(let x), .namespace(let y)): x == y
        default: if let x = a.number, let y = b.number { x == y } else { false }
        }
    }

    /// The number, if it is one; truth values count as 0 and 1, as in Python.
    var number: Double? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}
