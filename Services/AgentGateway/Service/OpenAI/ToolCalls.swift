internal import JSON

/// The calls of functions that an answer asks its caller for, put together from the pieces in which a server tells them: each piece names its
/// call by an index, the first one has its id and name, and each more of its arguments.
struct ToolCalls: Sendable {
    private struct Call: Sendable {
        var id = ""
        var name = ""
        var arguments = ""
    }

    private var calls: [Int: Call] = [:]
    private var last = -1

    /// The most of one answer.
    static let maximumCount = 128

    var isEmpty: Bool { calls.isEmpty }

    /// Takes one more piece: a list as a chunk's delta has it. What names no index goes on with the last call, or begins one with its id.
    mutating func add(_ delta: JSONValue) {
        for piece in delta.arrayValue ?? [] {
            let begins = piece["id"]?.stringValue.map { !$0.isEmpty } ?? false
            let index = piece["index"]?.intValue.map { Int($0) } ?? (begins || last < 0 ? last + 1 : last)
            guard (0..<Self.maximumCount).contains(index) else { continue }
            last = index
            var call = calls[index] ?? Call()
            if call.id.isEmpty { call.id = piece["id"]?.stringValue ?? "" }
            call.name += piece["function"]?["name"]?.stringValue ?? ""
            call.arguments += piece["function"]?["arguments"]?.stringValue ?? ""
            calls[index] = call
        }
    }

    /// All of them, as a whole answer has them.
    var json: JSONValue {
        .array(
            calls.sorted { $0.key < $1.key }.map { _, call in
                [
                    "id": .string(call.id), "type": "function",
                    "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
                ]
            })
    }
}
