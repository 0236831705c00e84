internal import JSON

extension Schema {
    /// Most faults that are told at once.
    static let maximumFaults = 20

    /// What is wrong with a value, each fault with its place as a JSON Pointer in a URI fragment; empty when it fits.
    func faults(in value: JSONValue) -> [Problem.Fault] {
        var finder = Finder()
        check(value, &finder)
        return finder.faults
    }

    /// The way to the value that is looked at, as steps: places become texts only where something is wrong.
    private struct Finder {
        enum Step {
            case member(String)
            case item(Int)
        }

        var path: [Step] = []
        var faults: [Problem.Fault] = []

        mutating func fault(_ detail: String) { faults.append(.init(field: place, detail: detail)) }

        mutating func within(_ step: Step, _ body: (inout Finder) -> Void) {
            path.append(step)
            body(&self)
            path.removeLast()
        }

        private var place: String {
            path.reduce(into: "#") { text, step in
                switch step {
                case .member(let key): text = Schema.place(text, key)
                case .item(let index): text += "/\(index)"
                }
            }
        }
    }

    /// What is wrong with the text of a parameter, nil when it fits.
    func fault(inText text: String) -> String? {
        switch self {
        case .string(let rule): return rule.fault(text)
        case .integer(let range):
            guard let value = Int(text), String(value) == text, range.contains(value) else { return Self.words(for: range) }
            return nil
        case .boolean: return text == "true" || text == "false" ? nil : "must be true or false"
        case .named(_, let schema): return schema.fault(inText: text)
        case .any: return nil
        default: return "cannot be given here"
        }
    }

    private func check(_ value: JSONValue, _ finder: inout Finder) {
        guard finder.faults.count < Self.maximumFaults else { return }
        switch self {
        case .any: break
        case .boolean: if value.boolValue == nil { finder.fault("must be true or false, not \(value.kindName)") }
        case .integer(let range):
            guard let number = value.intValue, let whole = Int(exactly: number), range.contains(whole) else {
                return finder.fault(Self.words(for: range))
            }
        case .number: if value.doubleValue == nil { finder.fault("must be a number, not \(value.kindName)") }
        case .string(let rule):
            guard let text = value.stringValue else { return finder.fault("must be a string, not \(value.kindName)") }
            if let wrong = rule.fault(text) { finder.fault(wrong) }
        case .array(let item, let count):
            guard let list = value.arrayValue else { return finder.fault("must be an array, not \(value.kindName)") }
            guard count.contains(list.count) else {
                return finder.fault("must have \(count.lowerBound) to \(count.upperBound) items, not \(list.count)")
            }
            for (index, element) in list.enumerated() { finder.within(.item(index)) { item.check(element, &$0) } }
        case .object(let members, let open): checkObject(value, members, open, &finder)
        case .map(let schema, let maximum):
            guard let object = value.objectValue else { return finder.fault("must be an object, not \(value.kindName)") }
            guard object.count <= maximum else { return finder.fault("must have at most \(maximum) members, not \(object.count)") }
            for member in object.members { finder.within(.member(member.key)) { schema.check(member.value, &$0) } }
        case .nullable(let schema): if !value.isNull { schema.check(value, &finder) }
        case .anyOf(let choices):
            if !choices.contains(where: { $0.faults(in: value).isEmpty }) {
                finder.fault("is none of the \(choices.count) forms that it may have")
            }
        case .named(_, let schema): schema.check(value, &finder)
        }
    }

    private func checkObject(_ value: JSONValue, _ members: [Member], _ open: Bool, _ finder: inout Finder) {
        guard let object = value.objectValue else { return finder.fault("must be an object, not \(value.kindName)") }
        for member in members {
            if let found = object[member.name] {
                finder.within(.member(member.name)) { member.schema.check(found, &$0) }
            } else if !member.isOptional {
                finder.within(.member(member.name)) { $0.fault("is missing") }
            }
        }
        if open { return }
        for found in object.members where !members.contains(where: { $0.name.utf8.elementsEqual(found.key.utf8) }) {
            guard finder.faults.count < Self.maximumFaults else { return }
            finder.within(.member(found.key)) { $0.fault("is not known here") }
        }
    }

    private static func words(for range: ClosedRange<Int>) -> String {
        "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    }

    /// RFC 6901 §3 and §6: `~` and `/` are escaped for the pointer, the rest as a fragment needs it.
    fileprivate static func place(_ parent: String, _ key: String) -> String {
        let short = String(key.prefix(64)).replacing("~", with: "~0").replacing("/", with: "~1")
        return "\(parent)/\(PercentEncoding.encode(short))"
    }
}
