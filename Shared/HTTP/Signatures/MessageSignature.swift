public import Crypto
public import HTTP

/// One signature of a request (RFC 9421 §4): what it covers and what it says of itself.
public struct MessageSignature: Sendable {
    /// What it is called in its fields.
    public let label: String
    /// The names of what it covers, such as `@method` and `content-digest`, without parameters.
    public let covered: Set<String>
    /// Seconds since 1970 when it was made; nil when it does not say.
    public let created: Int64?
    /// Seconds since 1970 from which it is void.
    public let expires: Int64?
    /// Which key made it.
    public let keyID: String?
    /// The algorithm, where it is named.
    public let algorithm: String?
    /// What makes it like no other.
    public let nonce: String?
    /// What it is for, such as `web-bot-auth`.
    public let tag: String?
    /// The signature.
    public let bytes: [UInt8]
    private let input: FieldMember

    /// Whether a request claims to be signed.
    public static func isThere(_ headers: Headers) -> Bool { headers["Signature-Input"] != nil || headers["Signature"] != nil }

    /// Reads the signatures of a request, in their order; at most four unless said otherwise.
    public static func all(in headers: Headers, atMost limit: Int = 4) throws(SignatureError) -> [MessageSignature] {
        let inputs = try FieldDictionary(headers.all("Signature-Input").joined(separator: ", "), of: "Signature-Input")
        let signatures = try FieldDictionary(headers.all("Signature").joined(separator: ", "), of: "Signature")
        guard inputs.keys.count <= limit else { throw .malformed("there are more than \(limit) signatures") }
        var found: [MessageSignature] = []
        for label in inputs.keys { found.append(try MessageSignature(label, inputs[label], signatures[label])) }
        guard !found.isEmpty else { throw .malformed("Signature-Input names no signature") }
        return found
    }

    private init(_ label: String, _ input: FieldMember?, _ signature: FieldMember?) throws(SignatureError) {
        guard case .list(let items, let parameters)? = input, let input else {
            throw .malformed("Signature-Input \(label) must be a list of components")
        }
        guard case .item(let item)? = signature, case .bytes(let bytes) = item.value else {
            throw .malformed("Signature has no \(label) of bytes")
        }
        var covered: Set<String> = []
        var seen: Set<FieldItem> = []
        for item in items {
            guard case .string(let name) = item.value, seen.insert(item).inserted else {
                throw .malformed("Signature-Input \(label) must name each component once, as a text")
            }
            // Part of a field is not the field.
            if item.parameters.names.isEmpty { covered.insert(name) }
        }
        func number(_ name: String) throws(SignatureError) -> Int64? {
            guard let value = parameters[name] else { return nil }
            guard case .integer(let number) = value else { throw .malformed("\(name) of the signature \(label) must be a whole number") }
            return number
        }
        func text(_ name: String) throws(SignatureError) -> String? {
            guard let value = parameters[name] else { return nil }
            guard case .string(let text) = value else { throw .malformed("\(name) of the signature \(label) must be a text") }
            return text
        }
        self.label = label
        self.covered = covered
        self.input = input
        self.bytes = bytes
        created = try number("created")
        expires = try number("expires")
        keyID = try text("keyid")
        algorithm = try text("alg")
        nonce = try text("nonce")
        tag = try text("tag")
    }

    /// Whether a component is covered, written as in its field: `"@authority";req`.
    public func covers(_ component: String) -> Bool {
        guard case .list(let items, _) = input else { return false }
        return items.contains { $0.text == component }
    }

    /// Where the signer says that its keys are (`Signature-Agent`, Web Bot Auth), if the signature covers that: a text, or the member of
    /// this signature's label.
    public func agent(in headers: Headers) -> String? {
        let text = headers.all("Signature-Agent").joined(separator: ", ")
        let isWhole = covers("\"signature-agent\"")
        guard isWhole || covers("\"signature-agent\";key=\"\(label)\"") else { return nil }
        let members = try? FieldDictionary(isWhole && text.hasPrefix("\"") ? "\(label)=\(text)" : text, of: "Signature-Agent")
        guard case .item(let item)? = members?[label], case .string(let agent) = item.value else { return nil }
        return agent
    }

    /// Whether it is that key's, over this request.
    /// - Throws: when it covers what the request has not, or what is not supported.
    public func isValid(for message: SignedMessage, by key: Ed25519PublicKey) throws(SignatureError) -> Bool {
        guard case .list(let items, _) = input else { return false }
        return key.isValid(signature: bytes, for: try Self.base(message, items, input))
    }

    /// The bytes that are signed (§2.5).
    static func base(_ message: SignedMessage, _ items: [FieldItem], _ input: FieldMember) throws(SignatureError) -> [UInt8] {
        var text = ""
        for item in items { text += "\(item.text): \(try message.value(of: item))\n" }
        return Array((text + "\"@signature-params\": " + input.text).utf8)
    }
}
