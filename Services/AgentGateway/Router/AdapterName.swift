/// What a request needs of a backend: a base model, alone or with an adapter on it.
public struct AdapterName: Sendable, Hashable, CustomStringConvertible {
    /// The base model.
    public let base: String
    /// The adapter, by whatever names its content; nil for the base alone, which is always warm.
    public let adapter: String?

    /// From its parts.
    public init(base: String, adapter: String? = nil) {
        self.base = base
        self.adapter = adapter
    }

    /// `base` or `base:adapter`.
    public var description: String { adapter.map { "\(base):\($0)" } ?? base }
}
