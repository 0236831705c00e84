internal import Crypto
public import Events
internal import Identity

/// The texts that people sign with a key to show that it is theirs. Each begins with what it is for, so that a signature for one thing
/// is good for nothing else.
public enum ProofMessages {
    /// To register: `openledger/register` LF kind LF did:key LF owner, which is empty for who belongs to nobody.
    public static func registration(kind: String, key: String, owner: String?) -> [UInt8] {
        Array("openledger/register\n\(kind)\n\(key)\n\(owner ?? "")".utf8)
    }

    /// To sign in: `openledger/sign-in` LF principal LF did:key LF time.
    public static func signIn(principal: String, key: String, time: Timestamp) -> [UInt8] {
        Array("openledger/sign-in\n\(principal)\n\(key)\n\(time)".utf8)
    }

    /// To link a key, signed by the key that is linked: `openledger/link-key` LF principal LF did:key.
    public static func linking(principal: String, key: String) -> [UInt8] { Array("openledger/link-key\n\(principal)\n\(key)".utf8) }

    /// To take over a principal whose keys are lost, signed by the new key: `openledger/recover` LF principal LF did:key.
    public static func recovery(principal: String, key: String) -> [UInt8] { Array("openledger/recover\n\(principal)\n\(key)".utf8) }

    /// How far the time of a sign-in may be from the gateway's, in microseconds.
    public static let leeway: Int64 = 120_000_000
}

extension ProofMessages {
    /// Throws unless a signature is a did:key's over a message.
    public static func check(_ signature: String, by key: String, over message: [UInt8]) throws(GatewayError) {
        guard let publicKey = DIDKey.publicKey(in: key) else {
            throw .invalid(field: "key", reason: "must be did:key of an Ed25519 key, did:key:z6Mk…")
        }
        guard let bytes = Base64URL.decode(signature), publicKey.isValid(signature: bytes, for: message) else {
            throw .badSignature("the signature is not by \(key) over the text that the documentation gives")
        }
    }
}

/// How somebody new has proven whose the key is.
public struct KeyProof: Sendable, Hashable {
    /// By the key.
    public let signature: String
    /// A key of the owner's, for an agent.
    public let ownerKey: String?
    /// By the owner's key.
    public let ownerSignature: String?

    /// From its parts.
    public init(signature: String, ownerKey: String? = nil, ownerSignature: String? = nil) {
        self.signature = signature
        self.ownerKey = ownerKey
        self.ownerSignature = ownerSignature
    }

    /// Throws unless it proves what is registered.
    public func check(kind: String, key: String, owner: String?) throws(GatewayError) {
        let message = ProofMessages.registration(kind: kind, key: key, owner: owner)
        try ProofMessages.check(signature, by: key, over: message)
        guard owner != nil else { return }
        guard let ownerKey else { throw .invalid(field: "owner_key", reason: "is missing: an agent's owner signs too") }
        guard let ownerSignature else { throw .invalid(field: "owner_signature", reason: "is missing: an agent's owner signs too") }
        try ProofMessages.check(ownerSignature, by: ownerKey, over: message)
    }
}
