/// What a request needs of a backend: a base model, alone or with an adapter on it.
public struct AdapterName: Sendable, Hashable, CustomStringConvertible {
    /// The base model.
    public let base: String
    /// The adapter, by whatever names its content; nil for the base alone, which is always warm.
    public let adapter: String?
    /// Whether texts are to be embedded, which other backends may do than those that answer.
    public let embeds: Bool

    /// From its parts.
    public init(base: String, adapter: String? = nil) {
        self.base = base
        self.adapter = adapter
        embeds = false
    }

    /// What embedding texts needs.
    public init(embedding base: String) {
        self.base = base
        adapter = nil
        embeds = true
    }

    /// `base` or `base:adapter`.
    public var description: String { adapter.map { "\(base):\($0)" } ?? base }
}
