internal import Events
internal import JSON

/// Checks a value by a JSON Schema (2020-12) that somebody else wrote, as far as the usual keywords go: `type`, `enum`, `const`,
/// `required`, `properties`, `additionalProperties`, `items`, and the bounds of lengths, counts and numbers. What else a schema says is left
/// to whom the value is for; a keyword of an odd form says nothing.
enum SchemaCheck {
    /// Deeper than this nothing is checked.
    private static let depth = 32

    /// - Parameter pointer: where the value stands, for the error.
    static func check(_ value: JSONValue, _ schema: JSONValue, at pointer: String = "", depth: Int = 0) throws(JSONFieldError) {
        guard depth < Self.depth, let rules = schema.objectValue else {
            if schema.boolValue == false { throw JSONFieldError(pointer: pointer, reason: "must not be there") }
            return
        }
        func wrong(_ reason: String) -> JSONFieldError { JSONFieldError(pointer: pointer, reason: reason) }
        if let types = rules["type"].map({ $0.stringValue.map { [$0] } ?? ($0.arrayValue ?? []).compactMap(\.stringValue) }), !types.isEmpty
        {
            guard types.contains(where: { Self.is(value, $0) }) else { throw wrong("must be \(types.joined(separator: " or "))") }
        }
        if let allowed = rules["enum"]?.arrayValue, !allowed.contains(value) { throw wrong("must be one of those that the schema lists") }
        if let only = rules["const"], only != value { throw wrong("must be what the schema says") }
        try bounds(value, rules, wrong)
        if let object = value.objectValue { try members(object, rules, pointer, depth) }
        if let list = value.arrayValue, let items = rules["items"] {
            for (index, item) in list.enumerated() { try check(item, items, at: pointer + "/\(index)", depth: depth + 1) }
        }
    }

    private static func `is`(_ value: JSONValue, _ type: String) -> Bool {
        switch type {
        case "integer":
            if case .double(let number) = value { number.rounded() == number } else { value.intValue != nil }
        case "number": value.doubleValue != nil
        case "string": value.stringValue != nil
        case "boolean": value.boolValue != nil
        case "array": value.arrayValue != nil
        case "object": value.objectValue != nil
        case "null": value.isNull
        default: true
        }
    }

    private static func bounds(_ value: JSONValue, _ rules: JSONObject, _ wrong: (String) -> JSONFieldError) throws(JSONFieldError) {
        if let number = value.doubleValue {
            if let least = rules["minimum"]?.doubleValue, number < least { throw wrong("must be at least \(least)") }
            if let most = rules["maximum"]?.doubleValue, number > most { throw wrong("must be at most \(most)") }
            if let least = rules["exclusiveMinimum"]?.doubleValue, number <= least { throw wrong("must be above \(least)") }
            if let most = rules["exclusiveMaximum"]?.doubleValue, number >= most { throw wrong("must be below \(most)") }
        }
        let sizes: [(Int?, String, String)] = [
            (value.stringValue?.unicodeScalars.count, "minLength", "maxLength"), (value.arrayValue?.count, "minItems", "maxItems"),
            (value.objectValue?.count, "minProperties", "maxProperties"),
        ]
        for (size, least, most) in sizes {
            guard let size else { continue }
            if let least = rules[least]?.intValue, size < least { throw wrong("is shorter than \(least)") }
            if let most = rules[most]?.intValue, size > most { throw wrong("is longer than \(most)") }
        }
    }

    private static func members(_ object: JSONObject, _ rules: JSONObject, _ pointer: String, _ depth: Int) throws(JSONFieldError) {
        func place(_ name: String) -> String {
            pointer + "/"
                + name.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
                .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
        }
        for name in (rules["required"]?.arrayValue ?? []).compactMap(\.stringValue) where object[name] == nil {
            throw JSONFieldError(pointer: place(name), reason: "is missing")
        }
        let known = rules["properties"]?.objectValue
        for member in object.members {
            if let schema = known?[member.key] {
                try check(member.value, schema, at: place(member.key), depth: depth + 1)
            } else if let rest = rules["additionalProperties"], rules["patternProperties"] == nil {
                if rest.boolValue == false { throw JSONFieldError(pointer: place(member.key), reason: "is not known here") }
                try check(member.value, rest, at: place(member.key), depth: depth + 1)
            }
        }
    }
}
