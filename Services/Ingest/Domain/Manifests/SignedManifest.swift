public import Crypto
internal import Events
internal import Identity
public import JSON

/// A manifest as it was received, with the contributor's signature over its hash and what the log says of it.
public struct SignedManifest: Sendable, Hashable {
    /// What was signed.
    public let manifest: Manifest
    /// Its canonical form.
    public let bytes: [UInt8]
    /// Ed25519 (RFC 8032) over the message of ``ContributionSubmitted``.
    public let signature: [UInt8]

    /// SHA-256 of the canonical form.
    public var hash: Digest { SHA256.hash(bytes) }

    private static func message(_ manifest: Manifest, _ bytes: [UInt8]) -> [UInt8] {
        ContributionSubmitted.message(
            datanet: manifest.datanet, contributor: manifest.contributor, kind: manifest.kind.rawValue, supersedes: manifest.supersedes,
            manifest: SHA256.hash(bytes))
    }

    /// Signs a manifest.
    public init(_ manifest: Manifest, key: Ed25519PrivateKey) throws {
        bytes = try manifest.canonical()
        signature = try key.sign(Self.message(manifest, bytes))
        self.manifest = manifest
    }

    /// Reads and checks a manifest: it has to be signed by the key that it names.
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
        guard let key = DIDKey.publicKey(in: manifest.signer), key.isValid(signature: raw, for: Self.message(manifest, bytes)) else {
            throw signature.error(
                "is not the signer's over the message that names this manifest's canonical form (RFC 8785) by its SHA-256")
        }
    }
}
