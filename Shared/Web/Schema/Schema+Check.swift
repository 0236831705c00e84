internal import JSON

extension Schema {
    /// Most faults that are told at once.
    static let maximumFaults = 20

    /// What is wrong with a value, each fault with its place as a JSON Pointer in a URI fragment; empty when it fits.
    func faults(in value: JSONValue) -> [Problem.Fault] {
        var faults: [Problem.Fault] = []
        check(value, at: "#", &faults)
        return faults
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

    private func check(_ value: JSONValue, at place: String, _ faults: inout [Problem.Fault]) {
        guard faults.count < Self.maximumFaults else { return }
        func fault(_ detail: String) { faults.append(.init(field: place, detail: detail)) }
        switch self {
        case .any: break
        case .boolean: if value.boolValue == nil { fault("must be true or false, not \(value.kindName)") }
        case .integer(let range):
            guard let number = value.intValue, let whole = Int(exactly: number), range.contains(whole) else {
                return fault(Self.words(for: range))
            }
        case .number: if value.doubleValue == nil { fault("must be a number, not \(value.kindName)") }
        case .string(let rule):
            guard let text = value.stringValue else { return fault("must be a string, not \(value.kindName)") }
            if let wrong = rule.fault(text) { fault(wrong) }
        case .array(let item, let count):
            guard let list = value.arrayValue else { return fault("must be an array, not \(value.kindName)") }
            guard count.contains(list.count) else {
                return fault("must have \(count.lowerBound) to \(count.upperBound) items, not \(list.count)")
            }
            for (index, element) in list.enumerated() { item.check(element, at: "\(place)/\(index)", &faults) }
        case .object(let members, let open): checkObject(value, members, open, place, &faults)
        case .map(let schema, let maximum):
            guard let object = value.objectValue else { return fault("must be an object, not \(value.kindName)") }
            guard object.count <= maximum else { return fault("must have at most \(maximum) members, not \(object.count)") }
            for member in object.members { schema.check(member.value, at: Self.place(place, member.key), &faults) }
        case .nullable(let schema): if !value.isNull { schema.check(value, at: place, &faults) }
        case .anyOf(let choices):
            if !choices.contains(where: { $0.faults(in: value).isEmpty }) {
                fault("is none of the \(choices.count) forms that it may have")
            }
        case .named(_, let schema): schema.check(value, at: place, &faults)
        }
    }

    private func checkObject(
        _ value: JSONValue, _ members: [Member], _ open: Bool, _ place: String, _ faults: inout [Problem.Fault]
    ) {
        guard let object = value.objectValue else {
            return faults.append(.init(field: place, detail: "must be an object, not \(value.kindName)"))
        }
        for member in members {
            if let found = object[member.name] {
                member.schema.check(found, at: Self.place(place, member.name), &faults)
            } else if !member.isOptional {
                faults.append(.init(field: Self.place(place, member.name), detail: "is missing"))
            }
        }
        if open { return }
        for found in object.members where !members.contains(where: { $0.name.utf8.elementsEqual(found.key.utf8) }) {
            guard faults.count < Self.maximumFaults else { return }
            faults.append(.init(field: Self.place(place, found.key), detail: "is not known here"))
        }
    }

    private static func words(for range: ClosedRange<Int>) -> String {
        "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    }

    /// RFC 6901 §3 and §6: `~` and `/` are escaped for the pointer, the rest as a fragment needs it.
    private static func place(_ parent: String, _ key: String) -> String {
        let short = String(key.prefix(64)).replacing("~", with: "~0").replacing("/", with: "~1")
        return "\(parent)/\(PercentEncoding.encode(short))"
    }
}
