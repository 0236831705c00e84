/// An SPDX licence expression (SPDX 3.0.1, annex B), as far as choosing needs it: identifiers, `+`, `WITH`, `AND`, `OR` and
/// parentheses. Operators are taken in capitals only; identifiers are compared without regard to case.
public indirect enum LicenceExpression: Sendable, Hashable {
    /// One licence, with its `+` and its exception, in lower case.
    case licence(String)
    /// All of them apply.
    case all([LicenceExpression])
    /// The user chooses one.
    case any([LicenceExpression])

    /// At most this many bytes; deeper nesting than 16 is refused too.
    public static let maximumBytes = 200

    /// Reads an expression; nil for what is none.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        let spaced = text.replacing("(", with: " ( ").replacing(")", with: " ) ")
        var words = spaced.split(whereSeparator: \.isWhitespace).map(String.init)[...]
        guard let read = Self.choice(&words, depth: 16), words.isEmpty else { return nil }
        self = read
    }

    /// Whether somebody who takes these licences, and no others, may take this.
    public func isSatisfied(by taken: Set<String>) -> Bool {
        switch self {
        case .licence(let id): taken.contains(id)
        case .all(let parts): parts.allSatisfy { $0.isSatisfied(by: taken) }
        case .any(let parts): parts.contains { $0.isSatisfied(by: taken) }
        }
    }

    private static func choice(_ words: inout ArraySlice<String>, depth: Int) -> LicenceExpression? {
        list(&words, "OR", depth) { choose(&$0, depth: $1) }.map { $0.count == 1 ? $0[0] : .any($0) }
    }

    private static func choose(_ words: inout ArraySlice<String>, depth: Int) -> LicenceExpression? {
        list(&words, "AND", depth) { single(&$0, depth: $1) }.map { $0.count == 1 ? $0[0] : .all($0) }
    }

    private static func list(
        _ words: inout ArraySlice<String>, _ joint: String, _ depth: Int,
        _ part: (inout ArraySlice<String>, Int) -> LicenceExpression?
    ) -> [LicenceExpression]? {
        var parts: [LicenceExpression] = []
        while true {
            guard let next = part(&words, depth) else { return nil }
            parts.append(next)
            guard words.first == joint else { return parts }
            words.removeFirst()
        }
    }

    private static func single(_ words: inout ArraySlice<String>, depth: Int) -> LicenceExpression? {
        guard depth > 0, let word = words.popFirst() else { return nil }
        if word == "(" {
            guard let inner = choice(&words, depth: depth - 1), words.popFirst() == ")" else { return nil }
            return inner
        }
        guard isIdentifier(word) else { return nil }
        guard words.first == "WITH" else { return .licence(word.lowercased()) }
        words.removeFirst()
        guard let exception = words.popFirst(), isIdentifier(exception) else { return nil }
        return .licence("\(word) with \(exception)".lowercased())
    }

    private static func isIdentifier(_ word: String) -> Bool {
        !["AND", "OR", "WITH", ")"].contains(word)
            && word.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == 0x2D || $0 == 0x2E || $0 == 0x2B || $0 == 0x3A
            }
    }
}
