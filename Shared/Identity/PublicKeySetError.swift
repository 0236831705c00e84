/// Why a set of public keys cannot be used.
public enum PublicKeySetError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Not a JWK Set; the text says why.
    case malformed(String)
    /// Two different keys have one name.
    case duplicateName(String)
    /// A private key where only public ones belong.
    case privateKey(String)
    /// A key that says not whose it is, in a set of several issuers.
    case noIssuer(String)

    /// A sentence that names the key.
    public var description: String {
        switch self {
        case .malformed(let reason): "not a set of public keys: \(reason)"
        case .duplicateName(let id): "two keys have the name (kid) \(id)"
        case .privateKey(let id): "the key \(id) is a private one: publish only its public part, and replace the key"
        case .noIssuer(let id): "the key \(id) does not say whose it is (member iss)"
        }
    }
}
