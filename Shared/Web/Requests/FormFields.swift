/// The fields of a form (`application/x-www-form-urlencoded`, WHATWG URL §5.1), each at most once.
public struct FormFields: Sendable, Hashable {
    /// Most fields.
    public static let most = 64
    private let values: [String: String]

    /// Reads a body.
    /// - Throws: `Problem` 400 for what is no such form, and for a field that comes twice (RFC 6749 §3.2).
    public init(_ bytes: [UInt8]) throws(Problem) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Problem(.badBody, "the form is not UTF-8") }
        var values: [String: String] = [:]
        for pair in text.split(separator: "&", omittingEmptySubsequences: true) {
            guard values.count < Self.most else { throw Problem(.badBody, "the form has more than \(Self.most) fields") }
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(parts[0])
            guard values.updateValue(parts.count > 1 ? try Self.decoded(parts[1]) : "", forKey: name) == nil else {
                throw Problem(.badBody, "\(name.prefix(100)) comes twice", field: String(name.prefix(100)))
            }
        }
        self.values = values
    }

    /// A field's value.
    public subscript(name: String) -> String? { values[name] }

    private static func decoded(_ text: Substring) throws(Problem) -> String {
        try PercentEncoding.decode(text.utf8, plusIsSpace: true) { Problem(.badBody, "the form \($0)") }
    }
}
