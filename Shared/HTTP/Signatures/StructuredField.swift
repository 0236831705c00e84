internal import Crypto

/// A value within a structured field (RFC 8941 §3.3), as far as signatures have them.
enum BareItem: Sendable, Hashable {
    case integer(Int64)
    case string(String)
    case token(String)
    case bytes([UInt8])
    case boolean(Bool)

    /// As it stands in a field, in its one canonical form (§4.1).
    var text: String {
        switch self {
        case .integer(let number): String(number)
        case .string(let text): "\"" + text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] } + "\""
        case .token(let token): token
        case .bytes(let bytes): ":" + Base64.encode(bytes) + ":"
        case .boolean(let value): value ? "?1" : "?0"
        }
    }
}

/// The parameters of an item or a list, in order.
struct FieldParameters: Sendable, Hashable {
    private(set) var names: [String] = []
    private var values: [String: BareItem] = [:]

    subscript(_ name: String) -> BareItem? { values[name] }

    /// The last value of a name counts, in the place of the first.
    mutating func set(_ name: String, _ value: BareItem) {
        if values.updateValue(value, forKey: name) == nil { names.append(name) }
    }

    var text: String {
        names.map { name in
            let value = values[name] ?? .boolean(true)
            return value == .boolean(true) ? ";" + name : ";\(name)=\(value.text)"
        }.joined()
    }
}

/// A value with its parameters.
struct FieldItem: Sendable, Hashable {
    let value: BareItem
    var parameters = FieldParameters()

    var text: String { value.text + parameters.text }
}

/// A member of a dictionary: a value, or a list of them within parentheses.
enum FieldMember: Sendable, Hashable {
    case item(FieldItem)
    case list([FieldItem], FieldParameters)

    var text: String {
        switch self {
        case .item(let item): item.text
        case .list(let items, let parameters): "(" + items.map(\.text).joined(separator: " ") + ")" + parameters.text
        }
    }
}

/// A dictionary (RFC 8941 §3.2), in order.
struct FieldDictionary: Sendable {
    private(set) var keys: [String] = []
    private var members: [String: FieldMember] = [:]

    /// - Parameter name: the field, for the words of an error.
    init(_ text: String, of name: String) throws(SignatureError) {
        var parser = FieldParser(text, name)
        parser.skipBlanks()
        while !parser.isAtEnd {
            let key = try parser.key()
            let member: FieldMember
            if parser.take("=") {
                member = try parser.member()
            } else {
                member = .item(FieldItem(value: .boolean(true), parameters: try parser.parameters()))
            }
            // Two members of one name: it must not depend on which one a reader takes.
            guard members.updateValue(member, forKey: key) == nil else { throw .malformed("\(name) has \(key) twice") }
            keys.append(key)
            parser.skipBlanks()
            if parser.isAtEnd { break }
            guard parser.take(",") else { throw .malformed("\(name) has no comma between its members") }
            parser.skipBlanks()
            if parser.isAtEnd { throw .malformed("\(name) ends with a comma") }
        }
    }

    subscript(_ key: String) -> FieldMember? { members[key] }
}
