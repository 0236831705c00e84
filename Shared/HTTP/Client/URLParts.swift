/// The parts of a URL that routing needs. Path and query stay as they came: what a caller signed is what is sent.
struct URLParts {
    let scheme: String
    /// `host` or `host:port`, lower case.
    let authority: String
    /// Path and query, at least "/", without the fragment.
    let target: String

    /// Nil unless the URL is absolute, `http` or `https`, and names a host.
    init?(_ url: String) {
        let scheme = url.prefix { $0 != ":" }
        self.scheme = scheme.lowercased()
        guard self.scheme == "http" || self.scheme == "https" else { return nil }
        let behindScheme = url.dropFirst(scheme.count)
        guard behindScheme.hasPrefix("://") else { return nil }
        let rest = behindScheme.dropFirst(3)
        let authority = rest.prefix { !Self.endsAuthority($0) }
        guard !authority.isEmpty, authority.first != ":" else { return nil }
        self.authority = authority.lowercased()
        let target = rest.dropFirst(authority.count).prefix { $0 != "#" }
        self.target = target.hasPrefix("/") ? String(target) : "/" + target
    }

    /// `https://host:port`, fit for messages: paths and queries may carry secrets.
    var origin: String { "\(scheme)://\(authority)" }

    private static func endsAuthority(_ character: Character) -> Bool {
        character == "/" || character == "?" || character == "#"
    }
}
