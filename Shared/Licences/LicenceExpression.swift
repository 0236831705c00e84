/// An SPDX licence expression (SPDX 3.0, Annex B): identifiers joined by `AND`, `OR` and `WITH`.
public indirect enum LicenceExpression: Sendable, Hashable, CustomStringConvertible {
    /// A licence of the list, or one's own by `LicenseRef-`; `orLater` for a `+`.
    case licence(String, orLater: Bool)
    /// With an exception of the list.
    case with(LicenceExpression, exception: String)
    /// Both apply.
    case and(LicenceExpression, LicenceExpression)
    /// The taker's choice.
    case or(LicenceExpression, LicenceExpression)

    /// Reads an expression.
    /// - Throws: ``LicenceError`` that names what is not known or not well formed.
    public init(_ text: String) throws(LicenceError) {
        guard text.utf8.count <= 500 else { throw .tooLong }
        var parser = Parser(text)
        self = try parser.expression(0)
        guard parser.next == nil else { throw .malformed(text) }
    }

    /// The expression with the list's own spelling.
    public var description: String { text(within: 0) }

    /// Whether everything can be used by who accepts only what `isAccepted`: an identifier, or one with its exception as
    /// `GPL-2.0-only WITH Classpath-exception-2.0`. An exception allows more than its licence: who accepts that accepts both.
    public func isSatisfied(_ isAccepted: (String) -> Bool) -> Bool {
        switch self {
        case .licence(let id, _): isAccepted(id)
        case .with(let licence, let exception): licence.isSatisfied { isAccepted($0) || isAccepted("\($0) WITH \(exception)") }
        case .and(let a, let b): a.isSatisfied(isAccepted) && b.isSatisfied(isAccepted)
        case .or(let a, let b): a.isSatisfied(isAccepted) || b.isSatisfied(isAccepted)
        }
    }

    /// Whether it is one licence, with an exception or without.
    public var isSingle: Bool {
        switch self {
        case .licence, .with: true
        case .and, .or: false
        }
    }

    private func text(within strength: Int) -> String {
        switch self {
        case .licence(let id, let orLater): return id + (orLater ? "+" : "")
        case .with(let licence, let exception): return "\(licence) WITH \(exception)"
        case .and(let a, let b): return Self.grouped("\(a.text(within: 2)) AND \(b.text(within: 2))", strength > 2)
        case .or(let a, let b): return Self.grouped("\(a.text(within: 1)) OR \(b.text(within: 1))", strength > 1)
        }
    }

    private static func grouped(_ text: String, _ isGrouped: Bool) -> String { isGrouped ? "(\(text))" : text }
}

/// Why a licence expression cannot be used.
public enum LicenceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// More than 500 bytes.
    case tooLong
    /// Not an expression.
    case malformed(String)
    /// Not on the SPDX list.
    case unknown(String)

    /// A sentence that names the culprit.
    public var description: String {
        switch self {
        case .tooLong: "the licence expression has more than 500 bytes"
        case .malformed(let text): "'\(text)' is no SPDX licence expression"
        case .unknown(let id): "'\(id)' is not on the SPDX licence list"
        }
    }
}

/// `WITH` binds tightest, then `AND`, then `OR`.
private struct Parser {
    private let text: String
    private var words: ArraySlice<String>
    private var depth = 0

    init(_ text: String) {
        self.text = text
        let spaced = text.replacing("(", with: " ( ").replacing(")", with: " ) ")
        words = spaced.split(separator: " ").map(String.init)[...]
    }

    var next: String? { words.first }

    mutating func expression(_ strength: Int) throws(LicenceError) -> LicenceExpression {
        depth += 1
        guard depth <= 64 else { throw .malformed(text) }
        defer { depth -= 1 }
        var left = try primary()
        while let word = next {
            if word == "OR", strength < 1 {
                words.removeFirst()
                left = .or(left, try expression(1))
            } else if word == "AND", strength < 2 {
                words.removeFirst()
                left = .and(left, try expression(2))
            } else {
                break
            }
        }
        return left
    }

    /// A licence of one's own, that only who names it takes: `LicenseRef-` and letters, digits, dots and dashes.
    private static func own(_ id: String) -> String? {
        let name = id.dropFirst("LicenseRef-".count)
        guard id.hasPrefix("LicenseRef-"), !name.isEmpty, name.utf8.count <= 64 else { return nil }
        let isPlain = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x2E
        }
        return isPlain ? id : nil
    }

    private mutating func primary() throws(LicenceError) -> LicenceExpression {
        guard let word = words.popFirst() else { throw .malformed(text) }
        if word == "(" {
            let inner = try expression(0)
            guard words.popFirst() == ")" else { throw .malformed(text) }
            return inner
        }
        guard !["AND", "OR", "WITH", ")"].contains(word) else { throw .malformed(text) }
        let orLater = word.hasSuffix("+")
        let bare = orLater ? String(word.dropLast()) : word
        guard let id = SPDXIdentifiers.licences[bare.lowercased()] ?? Self.own(bare) else { throw .unknown(bare) }
        let licence = LicenceExpression.licence(id, orLater: orLater)
        guard next == "WITH" else { return licence }
        words.removeFirst()
        guard let name = words.popFirst() else { throw .malformed(text) }
        guard let exception = SPDXIdentifiers.exceptions[name.lowercased()] else { throw .unknown(name) }
        return .with(licence, exception: exception)
    }
}
