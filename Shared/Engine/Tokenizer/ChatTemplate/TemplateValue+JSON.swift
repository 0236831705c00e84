internal import JSON

extension TemplateValue {
    /// The value of a JSON value.
    init(_ json: JSONValue) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(Int(value))
        case .double(let value): self = .double(value)
        case .string(let text): self = .string(text)
        case .array(let items): self = .list(items.map { TemplateValue($0) })
        case .object(let object): self = .dict(object.members.map { ($0.key, TemplateValue($0.value)) })
        }
    }

    /// As Python's `json.dumps(…, ensure_ascii=False)` writes it, which is what `tojson` gives in chat templates; nil for what
    /// JSON cannot say.
    func json(depth: Int = 0) -> String? {
        guard depth < 32 else { return nil }
        switch self {
        case .none: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return "\(value)"
        case .double(let value): return value.isFinite ? "\(value)" : nil
        case .string(let text): return String(decoding: JSON.write(.string(text)), as: UTF8.self)
        case .list(let items):
            let texts = items.compactMap { $0.json(depth: depth + 1) }
            return texts.count == items.count ? "[" + texts.joined(separator: ", ") + "]" : nil
        case .dict(let members):
            let texts = members.compactMap { member in
                member.value.json(depth: depth + 1).map { String(decoding: JSON.write(.string(member.key)), as: UTF8.self) + ": " + $0 }
            }
            return texts.count == members.count ? "{" + texts.joined(separator: ", ") + "}" : nil
        case .undefined, .namespace, .function: return nil
        }
    }
}
