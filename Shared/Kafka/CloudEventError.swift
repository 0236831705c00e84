/// Why something is not a CloudEvent.
public struct CloudEventError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in a form to switch over.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The code's name.
        public var rawValue: String

        /// A code of that name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A required attribute is not there.
        public static let missing = Code(rawValue: "missing")
        /// An attribute is there more than once.
        public static let duplicate = Code(rawValue: "duplicate")
        /// The name is not of lower-case letters and digits, or is taken by the specification.
        public static let badAttributeName = Code(rawValue: "bad-attribute-name")
        /// The value does not have the attribute's form.
        public static let badAttributeValue = Code(rawValue: "bad-attribute-value")
        /// The value is not UTF-8.
        public static let notUTF8 = Code(rawValue: "not-utf-8")
        /// A version of CloudEvents that is not 1.0.
        public static let unknownVersion = Code(rawValue: "unknown-version")
        /// The event is in structured or batched mode, not in binary mode.
        public static let notBinaryMode = Code(rawValue: "not-binary-mode")
        /// Longer or more than allowed.
        public static let tooLarge = Code(rawValue: "too-large")
    }

    /// What is wrong.
    public var code: Code
    /// Which attribute or header it is about.
    public var subject: String

    init(_ code: Code, _ subject: String) {
        self.code = code
        self.subject = subject
    }

    /// `CloudEvent: <attribute>: <code>`
    public var description: String { "CloudEvent: \(subject): \(code.rawValue)" }
}
