/// Turns the tokens of an answer into text piece by piece: whole characters only, and nothing of a stop string, not even its
/// beginning, before it is certain.
struct AnswerText {
    private let stops: [[UInt8]]
    private var pending: [UInt8] = []
    private var pendingTokens = 0

    init(stops: [String]) { self.stops = stops.filter { !$0.isEmpty }.map { Array($0.utf8) } }

    /// What may go out after a token's bytes came; `isStopped` when a stop string is complete.
    mutating func add(_ bytes: [UInt8]) -> (text: [UInt8], isStopped: Bool) {
        pending += bytes
        // The stop string that ends first wins; among those the one that begins first.
        var found: Int?
        for stop in stops { if let at = Self.find(stop, in: pending) { found = min(found ?? at, at) } }
        if let found {
            let text = Array(pending[..<found])
            pending = []
            return (text, true)
        }
        let held = max(Self.incompleteCharacter(pending), stops.map { Self.overlap(pending, $0) }.max() ?? 0)
        let text = Array(pending.dropLast(held))
        pending = Array(pending.suffix(held))
        return (text, false)
    }

    /// What was held back, at the end of the answer.
    mutating func finish() -> [UInt8] {
        defer { pending = [] }
        return pending
    }

    /// Whether bytes are held back.
    var isHolding: Bool { !pending.isEmpty }

    private static func find(_ needle: [UInt8], in text: [UInt8]) -> Int? {
        guard text.count >= needle.count else { return nil }
        return (0...text.count - needle.count).first { text[$0..<$0 + needle.count].elementsEqual(needle) }
    }

    /// The longest end of `text` that begins `stop`.
    private static func overlap(_ text: [UInt8], _ stop: [UInt8]) -> Int {
        for length in stride(from: min(text.count, stop.count - 1), to: 0, by: -1)
        where text.suffix(length).elementsEqual(stop.prefix(length)) { return length }
        return 0
    }

    /// Bytes at the end that begin a UTF-8 character whose rest has not come.
    private static func incompleteCharacter(_ text: [UInt8]) -> Int {
        for back in 1...3 where back <= text.count {
            let byte = text[text.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }
}
