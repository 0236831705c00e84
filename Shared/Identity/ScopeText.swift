/// Scopes as tokens and files write them: names with one blank between them (RFC 6749 §3.3).
enum ScopeText {
    static let largest = 64

    static func write(_ scopes: Set<String>) -> String { scopes.sorted().joined(separator: " ") }

    /// Nil for a name of other characters than RFC 6749 allows, two blanks in a row, or more than 64 names.
    static func read(_ text: String) -> Set<String>? {
        if text.isEmpty { return [] }
        let names = text.split(separator: " ", maxSplits: largest, omittingEmptySubsequences: false)
        guard names.count <= largest, names.allSatisfy(isName) else { return nil }
        return Set(names.map(String.init))
    }

    static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }
}
