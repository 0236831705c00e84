public import Decisions
internal import Events
public import JSON

/// Where what stands on the log differs from what the rules make.
public enum Difference {
    /// The first difference between events; nil when there is none.
    /// - Returns: which event it is in, from 0, and what differs.
    public static func first(expected: [NewEvent], found: [Fact]) -> (index: Int, reason: String)? {
        for (index, pair) in zip(expected, found).enumerated() {
            let (rule, fact) = pair
            if rule.type != fact.type { return (index, "is a \(fact.type), and the rules make a \(rule.type)") }
            if rule.version != fact.version { return (index, "has version \(fact.version), and the rules make \(rule.version)") }
            if rule.stream != fact.stream { return (index, "is of \(fact.stream), and the rules put it on \(rule.stream)") }
            if let reason = first(expected: rule.data, found: fact.data) { return (index, reason) }
        }
        if found.count > expected.count {
            return (
                expected.count, expected.isEmpty ? "the rules make nothing here" : "the rules make no \(found[expected.count].type) here"
            )
        }
        if expected.count > found.count { return (found.count - 1, "the rules also make a \(expected[found.count].type)") }
        return nil
    }

    /// The first difference between values, with its JSON Pointer; nil when they are the same.
    public static func first(expected: JSONValue, found: JSONValue, at pointer: String = "") -> String? {
        guard expected != found else { return nil }
        switch (expected, found) {
        case (.object(let rule), .object(let fact)):
            for member in rule.members {
                guard let other = fact[member.key] else {
                    return "\(pointer)/\(member.key) is left out, and the rules make \(text(member.value))"
                }
                if let reason = first(expected: member.value, found: other, at: "\(pointer)/\(member.key)") { return reason }
            }
            for member in fact.members where rule[member.key] == nil {
                return "\(pointer)/\(member.key) is \(text(member.value)), and the rules leave it out"
            }
            return nil
        case (.array(let rule), .array(let fact)):
            for (index, pair) in zip(rule, fact).enumerated() {
                if let reason = first(expected: pair.0, found: pair.1, at: "\(pointer)/\(index)") { return reason }
            }
            return rule.count == fact.count ? nil : "\(pointer) has \(fact.count) entries, and the rules make \(rule.count)"
        default: return "\(pointer) is \(text(found)), and the rules make \(text(expected))"
        }
    }

    private static func text(_ value: JSONValue) -> String {
        let text = String(decoding: JSON.write(value), as: UTF8.self)
        return text.count <= 100 ? text : text.prefix(97) + "..."
    }
}
