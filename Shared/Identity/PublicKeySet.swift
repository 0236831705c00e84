public import Crypto
internal import JSON

/// Verification keys with their names, as a JWK Set holds them (RFC 7517 §5, RFC 8037).
public struct PublicKeySet: Sendable, Hashable {
    /// A key of the set.
    public struct Entry: Sendable, Hashable {
        /// The key's name (`kid`): by default its thumbprint.
        public let id: String
        /// The key.
        public let key: Ed25519PublicKey
        /// Who signs with it, in a set that holds keys of several (member `iss`); nil when the set is one issuer's.
        public let issuer: String?

        /// A key with its name; without one, the RFC 7638 thumbprint.
        public init(key: Ed25519PublicKey, id: String? = nil, issuer: String? = nil) {
            self.id = id ?? PublicKeySet.thumbprint(of: key)
            self.key = key
            self.issuer = issuer
        }
    }

    /// The keys, in the set's order; no two of one name.
    public private(set) var entries: [Entry] = []

    /// Keys with their names. Throws when two have one name: a token could mean either.
    public init(_ entries: [Entry] = []) throws(PublicKeySetError) {
        for entry in entries { try add(entry) }
    }

    /// The key of a name.
    public subscript(id: String) -> Ed25519PublicKey? { entries.first { $0.id.utf8.elementsEqual(id.utf8) }?.key }

    /// Adds a key; the same again changes nothing.
    public mutating func add(_ entry: Entry) throws(PublicKeySetError) {
        if entries.contains(entry) { return }
        guard self[entry.id] == nil else { throw .duplicateName(entry.id) }
        entries.append(entry)
    }

    /// The keys of each issuer that the entries name. Throws for an entry that names none.
    public func byIssuer() throws(PublicKeySetError) -> [String: PublicKeySet] {
        var sets: [String: PublicKeySet] = [:]
        for entry in entries {
            guard let issuer = entry.issuer else { throw .noIssuer(entry.id) }
            if sets[issuer] == nil { sets[issuer] = try PublicKeySet() }
            try sets[issuer]?.add(entry)
        }
        return sets
    }

    /// The RFC 7638 thumbprint of a key: base64url of the SHA-256 of its required members (RFC 8037 §2).
    public static func thumbprint(of key: Ed25519PublicKey) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("crv", "Ed25519")
        writer.member("kty", "OKP")
        writer.member("x", Base64URL.encode(key.rawBytes))
        writer.endObject()
        return Base64URL.encode(SHA256.hash(writer.bytes).bytes)
    }
}
