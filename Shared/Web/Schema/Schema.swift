/// What a JSON value or a parameter may be: the part of JSON Schema 2020-12 that routes need.
///
/// One value serves three ends: it checks requests before a handler runs, it checks replies in tests, and it is written into the OpenAPI
/// document. So the document says what the routes do.
public indirect enum Schema: Sendable, Hashable {
    /// Any JSON value.
    case any
    /// `true` or `false`.
    case boolean
    /// A whole number within bounds; JSON numbers carry 53 bits.
    case integer(ClosedRange<Int>)
    /// Any number.
    case number
    /// Text by rules.
    case string(TextRule)
    /// A list.
    case array(Schema, count: ClosedRange<Int>)
    /// Members known by name. When not `open`, others are refused.
    case object([Member], open: Bool)
    /// Members of any name and one kind.
    case map(Schema, maximum: Int)
    /// The value, or null.
    case nullable(Schema)
    /// What fits at least one.
    case anyOf([Schema])
    /// A schema with a name: the document has it once, under components.
    case named(String, Schema)

    /// A member of an object.
    public struct Member: Sendable, Hashable {
        /// The name.
        public let name: String
        /// What it may be.
        public let schema: Schema
        /// Whether it may be absent.
        public let isOptional: Bool
        /// What it means, for the document.
        public let summary: String?

        /// A member that must be there.
        public static func required(_ name: String, _ schema: Schema, _ summary: String? = nil) -> Member {
            Member(name: name, schema: schema, isOptional: false, summary: summary)
        }

        /// A member that may be absent.
        public static func optional(_ name: String, _ schema: Schema, _ summary: String? = nil) -> Member {
            Member(name: name, schema: schema, isOptional: true, summary: summary)
        }
    }

    /// Whole numbers that JSON carries exactly: 0 to 2^53 − 1.
    public static let count: Schema = .integer(0...9_007_199_254_740_991)
    /// Text of at most 1,024 characters.
    public static let text: Schema = .string(TextRule())
    /// Text of so many characters (Unicode scalars).
    public static func text(_ length: ClosedRange<Int>) -> Schema { .string(TextRule(length: length)) }
    /// Text of a known form.
    public static func text(_ format: TextFormat) -> Schema { .string(TextRule(format: format, length: 0...1024)) }
    /// One of a few words.
    public static func oneOf(_ words: String...) -> Schema { .string(TextRule(words: words)) }
    /// An object that takes no other members.
    public static func object(_ members: Member...) -> Schema { .object(members, open: false) }
    /// An object that may have other members too: for replies, which may grow.
    public static func openObject(_ members: Member...) -> Schema { .object(members, open: true) }
    /// A list of at most so many.
    public static func list(_ item: Schema, atMost maximum: Int = 1000) -> Schema { .array(item, count: 0...maximum) }
}
