internal import Crypto
public import HTTPSignatures
internal import Identity
internal import Telemetry

extension MessageSigner {
    /// What a service signs its webhooks with: a key of its own, which it makes when it is not there. Blocks; make it at the start.
    public static func webhooks(_ context: ServiceContext) throws -> MessageSigner {
        let key = try KeyFile.loadOrCreate(context.folder + "/http-signatures.key")
        let address = context.settings.string("PUBLIC_URL", default: "")
        let agent = address.hasSuffix("/") ? String(address.dropLast()) : address
        return MessageSigner(key: key, keyID: PublicKeySet.thumbprint(of: key.publicKey), agent: agent.isEmpty ? nil : agent)
    }

    /// The key as a JWK (RFC 8037), as directories of keys have it.
    public var jwks: [UInt8] {
        get throws { try PublicKeySet([PublicKeySet.Entry(key: publicKey, id: keyID)]).jwks }
    }
}
