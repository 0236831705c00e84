internal import Crypto

/// What binds a body to its request (RFC 9530).
public enum ContentDigest {
    /// The value of `Content-Digest`.
    public static func text(of body: [UInt8]) -> String { "sha-256=" + BareItem.bytes(SHA256.hash(body).bytes).text }

    /// Whether a field's value is that of a body. A field without SHA-256 says nothing here.
    public static func isRight(_ text: String, for body: [UInt8]) throws(SignatureError) -> Bool {
        guard case .item(let item)? = try FieldDictionary(text, of: "Content-Digest")["sha-256"], case .bytes(let digest) = item.value
        else {
            throw .malformed("Content-Digest must have a sha-256")
        }
        return digest == SHA256.hash(body).bytes
    }
}
