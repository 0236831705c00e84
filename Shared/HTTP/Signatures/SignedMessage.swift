public import HTTP

/// A request as signatures see it (RFC 9421 §2), or the answer to one.
public struct SignedMessage: Sendable {
    /// The method, in capitals.
    public let method: String
    /// `https` or `http`.
    public let scheme: String
    /// The host, with its port where that is not the scheme's own; in small letters.
    public let authority: String
    /// Path and query as they are sent; at least a slash.
    public let target: String
    /// The fields.
    public let headers: Headers
    /// Whether the fields are of the answer to that request: what is covered of the request itself then says so (`;req`, §2.4).
    public var answersRequest = false

    /// From its parts. A port that is the scheme's own is left out of the authority (RFC 9110 §4.2.3).
    public init(method: String, scheme: String, authority: String, target: String, headers: Headers) {
        self.method = method
        self.scheme = scheme
        let host = authority.lowercased()
        let own = scheme == "https" ? ":443" : ":80"
        self.authority = host.hasSuffix(own) ? String(host.dropLast(own.count)) : host
        self.target = target.isEmpty ? "/" : target
        self.headers = headers
    }

    /// From an absolute URL.
    /// - Returns: nil for what is none.
    public init?(method: String, url: String, headers: Headers) {
        guard let colon = url.firstRange(of: "://") else { return nil }
        let rest = url[colon.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty else { return nil }
        let target = String(rest.dropFirst(authority.count))
        self.init(
            method: method, scheme: url[..<colon.lowerBound].lowercased(), authority: String(authority),
            target: target.hasPrefix("/") ? target : "/" + target, headers: headers)
    }

    private var path: String { String(target.prefix { $0 != "?" }) }
    private var query: String { String(target.dropFirst(path.count)) }

    /// The value of a covered component.
    func value(of component: FieldItem) throws(SignatureError) -> String {
        guard case .string(let name) = component.value else { throw .malformed("a component's name must be a text") }
        guard name.hasPrefix("@") else { return try field(name, component.parameters) }
        let isOfRequest = component.parameters.names == ["req"] && component.parameters["req"] == .boolean(true)
        guard answersRequest ? isOfRequest : component.parameters.names.isEmpty else {
            throw .component("\(component.text), whose parameters are not supported")
        }
        switch name {
        case "@method": return method
        case "@target-uri": return "\(scheme)://\(authority)\(target)"
        case "@authority": return authority
        case "@scheme": return scheme
        case "@request-target": return target
        case "@path": return path
        case "@query": return query.isEmpty ? "?" : query
        default: throw .component("\(name), which is not supported")
        }
    }

    private func field(_ name: String, _ parameters: FieldParameters) throws(SignatureError) -> String {
        guard name == name.lowercased() else { throw .malformed("the component \(name) must be in small letters") }
        let values = headers.all(name)
        guard !values.isEmpty else { throw .component("the field \(name), which is not there") }
        let value = values.map { $0.trimmingBlanks }.joined(separator: ", ")
        if parameters.names.isEmpty { return value }
        guard parameters.names == ["key"], case .string(let key)? = parameters["key"] else {
            throw .component("\(name)\(parameters.text), whose parameters are not supported")
        }
        guard let member = try FieldDictionary(value, of: name)[key] else { throw .component("\(name) \(key), which is not there") }
        return member.text
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        var text = self[...].drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
