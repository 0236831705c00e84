/// A JSON value (RFC 8259). Equality is of data: strings byte by byte, objects whatever the order of their members.
public enum JSONValue: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number written without fraction and exponent that fits 64 bits, other than `-0`.
    case int(Int64)
    /// Any other number.
    case double(Double)
    /// A text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// Named values, in the order written.
    case object(JSONObject)
}

extension JSONValue {
    /// The member of that name, when this is an object that has it.
    public subscript(key: String) -> JSONValue? { objectValue?[key] }

    /// The text, when this is one.
    public var stringValue: String? { if case .string(let text) = self { text } else { nil } }

    /// The integer, when this is one.
    public var intValue: Int64? { if case .int(let number) = self { number } else { nil } }

    /// The number, integer or not, when this is one.
    public var doubleValue: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    /// The truth value, when this is one.
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The list, when this is one.
    public var arrayValue: [JSONValue]? { if case .array(let list) = self { list } else { nil } }

    /// The object, when this is one.
    public var objectValue: JSONObject? { if case .object(let object) = self { object } else { nil } }

    /// Whether this is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// What kind of value this is, with its article, for messages: `a string`.
    public var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int: "an integer"
        case .double: "a number with a fraction or exponent"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue: Hashable {
    /// Equal as data. Swift's own `==` holds "é" and "e\u{301}" to be one text; here they are two. An integer never equals
    /// a double.
    public static func == (a: JSONValue, b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.int(let x), .int(let y)): x == y
        case (.double(let x), .double(let y)): x == y
        case (.string(let x), .string(let y)): sameBytes(x, y)
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)): x == y
        default: false
        }
    }

    /// Agrees with `==`.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let number): hasher.combine(number)
        case .double(let number): hasher.combine(number)
        case .string(let text): hasher.combine(text)
        case .array(let list): hasher.combine(list)
        case .object(let object): hasher.combine(object)
        }
    }
}
