internal import Crypto
internal import JSON

/// The parts of a signed token (RFC 7515 §3.1) and what its claims say (RFC 7519 §4, RFC 9068).
struct Token {
    /// Larger ones are refused unread.
    static let largest = 8192
    /// RFC 8037 and, since RFC 9864, the name that says which curve.
    static let algorithms: Set<String> = ["EdDSA", "Ed25519"]
    private static let types: Set<String> = ["jwt", "at+jwt", "application/at+jwt"]

    let header: JSONValue
    let payload: [UInt8]
    let signature: [UInt8]
    /// What the signature is over.
    let signed: [UInt8]

    /// Takes a token apart. Nothing of it is to be believed yet.
    init(_ bytes: [UInt8]) throws(TokenError) {
        guard bytes.count <= Self.largest else { throw .tooLarge }
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]), let fields = try? JSON.parse(header, limits: JSONLimits(depth: 3)),
            case .object = fields
        else { throw .malformed }
        self.header = fields
        self.payload = payload
        self.signature = signature
        signed = Array(bytes[..<parts[1].endIndex])
    }

    /// The name of the key that the token claims to be signed with, if the rest of the header is acceptable.
    func keyID() throws(TokenError) -> String {
        guard header["crit"] == nil, header["b64"] == nil else { throw .criticalHeader }
        if let type = header["typ"] {
            guard let text = type.stringValue?.lowercased(), Self.types.contains(text) else { throw .type }
        }
        guard let id = header["kid"]?.stringValue else { throw .unknownKey }
        return id
    }

    /// Throws unless the algorithm is the key's. The key decides, not the token: a public key must never become an HMAC's.
    func requireAlgorithm() throws(TokenError) {
        guard let name = header["alg"]?.stringValue, Self.algorithms.contains(name) else { throw .algorithm }
    }

    /// Reads the claims, after the signature was checked.
    func claims() throws(TokenError) -> Claims {
        guard let claims = try? JSON.parse(payload, limits: JSONLimits(depth: 8)), case .object = claims else { throw .malformed }
        return Claims(value: claims)
    }

    /// What a token says.
    struct Claims {
        let value: JSONValue

        /// The second at which the token ends; without one it has ended.
        func expiry() throws(TokenError) -> Int64 {
            guard let end = value["exp"]?.intValue else { throw .expired }
            return end
        }

        /// The second at which the token begins, if it says so.
        func beginning() throws(TokenError) -> Int64? {
            guard let begin = value["nbf"] else { return nil }
            guard let second = begin.intValue else { throw .notYetValid }
            return second
        }

        /// The second in which it was made, if it says so.
        var issued: Int64? { value["iat"]?.intValue }

        func requireIssuer(_ issuer: String) throws(TokenError) {
            guard let name = value["iss"]?.stringValue, name.utf8.elementsEqual(issuer.utf8) else { throw .issuer }
        }

        func requireAudience(_ audiences: Set<String>) throws(TokenError) {
            let names: [JSONValue] =
                switch value["aud"] {
                case .string(let name): [.string(name)]
                case .array(let list): list
                default: []
                }
            guard names.contains(where: { $0.stringValue.map(audiences.contains) ?? false }) else { throw .audience }
        }

        func caller(issuer: String) throws(TokenError) -> Caller {
            guard let subject = value["sub"]?.stringValue, !subject.isEmpty else { throw .subject }
            let isSelf = subject.utf8.elementsEqual(issuer.utf8)
            var kind = isSelf ? Caller.Kind.service : .person
            if let claim = value["kind"] {
                guard let text = claim.stringValue, let named = Caller.Kind(rawValue: text) else { throw .claims }
                kind = named
            }
            // A service speaks for itself only; else whoever issues tokens to people could act as any service.
            guard (kind == .service) == isSelf else { throw .subject }
            var scopes: Set<String> = []
            if let claim = value["scope"] {
                guard let text = claim.stringValue, let names = ScopeText.read(text) else { throw .claims }
                scopes = names
            }
            return Caller(subject: subject, issuer: issuer, kind: kind, scopes: scopes)
        }
    }
}
