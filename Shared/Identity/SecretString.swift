/// A text that must not appear in logs, messages and dumps: it shows itself only to who asks by name.
public struct SecretString: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Hides the text.
    public init(_ value: String) { self.value = value }

    /// The text itself. Do not keep or print it.
    public func reveal() -> String { value }

    /// `[secret]`.
    public var description: String { "[secret]" }

    /// `[secret]`.
    public var debugDescription: String { description }

    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
