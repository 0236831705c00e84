public import Crypto
internal import JSON

/// A client's own word for who it is, signed by its key: the JWT of `private_key_jwt` (RFC 7523 §3). Unlike a token it names its signer as
/// issuer and subject, and need not name the key.
public struct ClientAssertion: Sendable {
    /// The longest that one may hold, in seconds.
    public static let longest: Int64 = 600
    /// How many seconds clocks may differ.
    public static let leeway: Int64 = 60

    /// Whom it claims to be of. Nothing of it is proven before ``check(by:audiences:now:)``.
    public let claimedSubject: String
    private let token: Token

    /// Takes one apart.
    /// - Throws: ``TokenError`` for what is no JWT with a subject.
    public init(_ text: String) throws(TokenError) {
        token = try Token(Array(text.utf8))
        guard let subject = try token.claims().value["sub"]?.stringValue, !subject.isEmpty else { throw .subject }
        claimedSubject = subject
    }

    /// What tells one assertion from another of the same client, and until when it could be shown again.
    public struct Use: Sendable, Hashable {
        /// Its `jti` where it has one (RFC 7519 §4.1.7), otherwise the hash of what was signed.
        public let id: String
        /// In seconds since 1970; nobody takes it from then on.
        public let end: Int64
    }

    /// Throws unless one of the keys signed it, for one of the audiences, and it holds now.
    /// - Parameter now: seconds since 1970.
    /// - Returns: by what it is known again: it should be taken once.
    public func check(by keys: [Ed25519PublicKey], audiences: Set<String>, now: Int64 = UnixTime.now) throws(TokenError) -> Use {
        guard token.header["crit"] == nil, token.header["b64"] == nil else { throw .criticalHeader }
        try token.requireAlgorithm()
        guard keys.contains(where: { $0.isValid(signature: token.signature, for: token.signed) }) else { throw .signature }
        let claims = try token.claims()
        let end = try claims.expiry()
        guard now < UnixTime.add(end, Self.leeway) else { throw .expired }
        guard end <= UnixTime.add(now, Self.longest + Self.leeway) else { throw .tooLong }
        if let begin = try claims.beginning(), now < UnixTime.add(begin, -Self.leeway) { throw .notYetValid }
        try claims.requireIssuer(claimedSubject)
        try claims.requireAudience(audiences)
        let id = claims.value["jti"]?.stringValue.map { "jti:" + $0 } ?? "hash:" + SHA256.hash(token.signed).hex
        return Use(id: id, end: UnixTime.add(end, Self.leeway))
    }
}
