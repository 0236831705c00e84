internal import Crypto
internal import JSON

extension PublicKeySet {
    private static let largest = 1 << 20

    /// Reads a JWK Set. Keys for other purposes and of other algorithms are left out, as RFC 7517 §5 asks; a private key
    /// is refused, because whoever wrote it there has published it.
    public init(jwks bytes: [UInt8]) throws(PublicKeySetError) {
        try self.init()
        for field in try Self.keys(in: bytes) {
            if let entry = try Self.entry(field) { try add(entry) }
        }
    }

    /// The JWK Set as this system publishes it.
    public var jwks: [UInt8] {
        let keys = entries.map { entry -> JSONValue in
            var key: JSONObject = [
                "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": .string(entry.id),
                "x": .string(Base64URL.encode(entry.key.rawBytes)),
            ]
            if let issuer = entry.issuer { key["iss"] = .string(issuer) }
            return .object(key)
        }
        return JSON.pretty(["keys": .array(keys)]) + [UInt8(ascii: "\n")]
    }

    /// Reads a JWK Set from a file. Blocks.
    public static func load(_ path: String) throws(FileError) -> PublicKeySet {
        let bytes = try SmallFile.read(path, limit: largest)
        do throws(PublicKeySetError) { return try PublicKeySet(jwks: bytes) } catch {
            throw .malformed(path: path, reason: "\(error)")
        }
    }

    /// Writes the JWK Set to a file that everybody may read, all at once. Blocks.
    public func save(_ path: String) throws(FileError) {
        try SmallFile.replace(path, with: jwks, mode: 0o644)
    }

    private static func keys(in bytes: [UInt8]) throws(PublicKeySetError) -> [JSONField] {
        let document: JSONValue
        do throws(JSONError) {
            document = try JSON.parse(bytes, limits: JSONLimits(depth: 8, bytes: largest))
        } catch {
            throw .malformed("\(error)")
        }
        do throws(JSONFieldError) { return try document.object().array("keys", count: 0...1000) } catch {
            throw .malformed("\(error)")
        }
    }

    private static func entry(_ field: JSONField) throws(PublicKeySetError) -> Entry? {
        if field.value["d"] != nil { throw .privateKey(field.value["kid"]?.stringValue ?? field.pointer) }
        do throws(JSONFieldError) {
            let key = try field.object()
            guard try key.string("kty") == "OKP", try key.string("crv") == "Ed25519" else { return nil }
            if let algorithm = try key.optionalString("alg"), !Token.algorithms.contains(algorithm) { return nil }
            if let use = try key.optionalString("use"), use != "sig" { return nil }
            guard let x = Base64URL.decode(try key.string("x")), let point = try? Ed25519PublicKey(x) else {
                throw JSONFieldError(pointer: field.pointer + "/x", reason: "must be 32 bytes in base64url")
            }
            return Entry(key: point, id: try key.optionalString("kid"), issuer: try key.optionalString("iss"))
        } catch {
            throw .malformed("\(error)")
        }
    }
}
