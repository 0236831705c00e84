public import JSON

/// Which columns of a row hold what.
public struct ColumnMap: Sendable, Hashable {
    /// What a column can be.
    public enum Role: String, Sendable, Hashable, CaseIterable {
        /// The question.
        case prompt
        /// The answer.
        case completion
        /// Text that stands for itself.
        case text
        /// What it is called.
        case title
        /// Where it comes from.
        case source
        /// Whose work it is.
        case author
        /// Under which licence.
        case licence
        /// Which refused item it corrects.
        case supersedes
    }

    /// The column of each role.
    public let columns: [Role: String]

    /// Roles and the names of their columns.
    public init(_ columns: [Role: String]) { self.columns = columns }

    /// The roles' own names, and `license` as data sets often spell it.
    public static let standard = ColumnMap(Dictionary(uniqueKeysWithValues: Role.allCases.map { ($0, $0.rawValue) }))

    /// Reads `{"prompt": "question", …}`.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: Role.allCases.map(\.rawValue))
        var columns: [Role: String] = [:]
        for role in Role.allCases {
            if let name = try fields.optionalString(role.rawValue, bytes: 1...200) { columns[role] = name }
        }
        self.columns = columns
    }

    /// As it stands in a manifest.
    public var json: JSONValue {
        .object(JSONObject(Role.allCases.compactMap { role in columns[role].map { (role.rawValue, .string($0)) } }))
    }

    /// The content of a row, given the text of its columns.
    public func content(file: String, row: Int, _ column: (String) -> String?) -> ItemContent {
        func value(_ role: Role, _ others: String...) -> String? {
            guard let name = columns[role] else { return nil }
            if let text = column(name), !text.isEmpty { return text }
            if self == .standard { for other in others { if let text = column(other), !text.isEmpty { return text } } }
            return nil
        }
        return ItemContent(
            prompt: value(.prompt), completion: value(.completion), text: value(.text), title: value(.title), source: value(.source),
            author: value(.author), licence: value(.licence, "license"), supersedes: value(.supersedes), file: file, row: row)
    }
}
