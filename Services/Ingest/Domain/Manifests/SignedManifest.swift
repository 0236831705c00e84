public import Crypto
internal import Identity
public import JSON

/// A manifest as it was received, with the contributor's signature over exactly these bytes.
public struct SignedManifest: Sendable, Hashable {
    /// What was signed.
    public let manifest: Manifest
    /// The signed bytes.
    public let bytes: [UInt8]
    /// Ed25519 (RFC 8032) over them.
    public let signature: [UInt8]

    /// SHA-256 of the signed bytes.
    public var hash: Digest { SHA256.hash(bytes) }

    /// Signs a manifest.
    public init(_ manifest: Manifest, key: Ed25519PrivateKey) throws {
        bytes = try manifest.canonical()
        signature = try key.sign(bytes)
        self.manifest = manifest
    }

    /// Reads and checks a manifest: the signed bytes have to be canonical, and signed by the key that they name.
    /// - Parameter document: the manifest as JSON, in whatever order of members; its canonical form is what is checked.
    public init(_ document: JSONField, signature: JSONField) throws(JSONFieldError) {
        manifest = try Manifest(document.object())
        guard let bytes = try? JSON.canonical(document.value, allowFractions: false) else {
            throw document.error("has no canonical form: its numbers have to be whole")
        }
        self.bytes = bytes
        guard let raw = Base64URL.decode(try signature.string(bytes: 1...200)), raw.count == 64 else {
            throw signature.error("must be the 64 bytes of an Ed25519 signature in base64url")
        }
        self.signature = raw
        guard let key = DIDKey.publicKey(in: manifest.signer), key.isValid(signature: raw, for: bytes) else {
            throw signature.error("is not the signer's over this manifest in canonical form (RFC 8785)")
        }
    }
}
