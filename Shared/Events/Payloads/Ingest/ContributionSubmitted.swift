public import Crypto
public import JSON

/// A contribution has come in whole, signed by who submits it.
public struct ContributionSubmitted: EventData, Hashable {
    /// `contribution.submitted`.
    public static let type = "contribution.submitted"

    /// The contribution.
    public var contribution: String
    /// Where it is meant to go.
    public var datanet: String
    /// The principal who submits it.
    public var contributor: String
    /// `own`, or `on-behalf` for a community that brings in openly licensed data of named authors.
    public var kind: String
    /// SHA-256 of the manifest in canonical form.
    public var manifest: Digest
    /// did:key of the signing key.
    public var signer: String
    /// Ed25519 over ``signedBytes``, base64url.
    public var signature: String
    /// How many items it has.
    public var items: Int
    /// Bytes of all uploaded files.
    public var bytes: Int
    /// The contribution that this one corrects.
    public var supersedes: String?

    /// Commitment to the manifest's bytes, which lie sealed under the contributor's key. Early events had none.
    public var sealed: Digest?

    /// From its parts.
    public init(
        contribution: String, datanet: String, contributor: String, kind: String, manifest: Digest, signer: String, signature: String,
        items: Int, bytes: Int, supersedes: String? = nil, sealed: Digest? = nil
    ) {
        self.contribution = contribution
        self.datanet = datanet
        self.contributor = contributor
        self.kind = kind
        self.manifest = manifest
        self.signer = signer
        self.signature = signature
        self.items = items
        self.bytes = bytes
        self.supersedes = supersedes
        self.sealed = sealed
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "contribution", "datanet", "contributor", "kind", "manifest", "signer", "signature", "items", "bytes", "supersedes",
            "sealed",
        ])
        contribution = try fields.id("contribution")
        datanet = try fields.id("datanet")
        contributor = try fields.id("contributor")
        kind = try fields.id("kind")
        manifest = try fields.digest("manifest")
        signer = try fields.id("signer")
        signature = try fields.string("signature", bytes: 0...2_000)
        items = try fields.count("items")
        bytes = try fields.count("bytes")
        supersedes = try fields.optionalID("supersedes")
        sealed = try fields.optionalDigest("sealed")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "contribution": .string(contribution), "datanet": .string(datanet), "contributor": .string(contributor), "kind": .string(kind),
            "manifest": .digest(manifest), "signer": .string(signer), "signature": .string(signature), "items": .count(items),
            "bytes": .count(bytes), "supersedes": supersedes.map { .string($0) },
            "sealed": sealed.map { .digest($0) },
        ])
    }
}

extension ContributionSubmitted {
    /// What a contributor signs: who brings what, where to. It names the manifest by its hash, so that whoever has this event can check the
    /// signature, long after the manifest is gone.
    public static func message(datanet: String, contributor: String, kind: String, supersedes: String?, manifest: Digest) -> [UInt8] {
        Array("openledger/contribution\n\(datanet)\n\(contributor)\n\(kind)\n\(supersedes ?? "")\n\(manifest.prefixed)".utf8)
    }

    /// What the signature of this one is over.
    public var signedBytes: [UInt8] {
        Self.message(datanet: datanet, contributor: contributor, kind: kind, supersedes: supersedes, manifest: manifest)
    }
}
