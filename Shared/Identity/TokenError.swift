/// Why a token is not accepted. Never holds a part of the token.
public enum TokenError: String, Error, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// More than 8 KiB.
    case tooLarge
    /// Not three parts of strict base64url around strict JSON.
    case malformed
    /// A header that demands extensions (`crit`, `b64`), none of which are known here.
    case criticalHeader
    /// A header of another type than an access token's.
    case type
    /// A key that no known issuer has.
    case unknownKey
    /// Another algorithm than the key's.
    case algorithm
    /// A signature that is not the key's.
    case signature
    /// Past its end, or without one.
    case expired
    /// Good for longer than any token may be.
    case tooLong
    /// Before its beginning.
    case notYetValid
    /// An issuer that the key does not belong to.
    case issuer
    /// Meant for somebody else.
    case audience
    /// No subject, or one that the issuer cannot vouch for.
    case subject
    /// Scopes or a kind that cannot be read.
    case claims

    /// A sentence for the caller.
    public var description: String {
        switch self {
        case .tooLarge: "the token is larger than 8 KiB"
        case .malformed: "the token is not a well-formed JWT"
        case .criticalHeader: "the token demands extensions (crit) that are not supported"
        case .type: "the token's type (typ) is not that of an access token"
        case .unknownKey: "the token is signed with a key (kid) that is not known"
        case .algorithm: "the token's algorithm (alg) is not that of its key, EdDSA"
        case .signature: "the token's signature is not valid"
        case .expired: "the token has expired, or does not say when it does (exp)"
        case .tooLong: "the token holds for longer than a day: ask for one with an earlier end (exp)"
        case .notYetValid: "the token is not valid yet (nbf)"
        case .issuer: "the token's issuer (iss) is not the owner of its key"
        case .audience: "the token is meant for another audience (aud)"
        case .subject: "the token's subject (sub) is missing, or its issuer cannot vouch for it"
        case .claims: "the token's scope or kind cannot be read"
        }
    }
}
