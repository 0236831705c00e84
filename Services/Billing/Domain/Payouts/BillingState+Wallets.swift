public import EVM
internal import Crypto
internal import Events
internal import Identity

/// An owner's chain of wallets as its last change left it.
public struct WalletChain: Sendable, Hashable {
    /// Where earnings go.
    public let address: EVMAddress
    /// The number of the last change.
    public let sequence: Int
    /// did:key of the key that signs the next change.
    public let key: String
    /// did:key that may sign it instead.
    public let recovery: String?
}

/// A change of wallet as it is asked for.
public struct WalletRequest: Sendable, Hashable {
    /// Whose earnings.
    public let owner: String
    /// Where they shall go.
    public let address: String
    /// The number of the change.
    public let sequence: Int
    /// did:key of the key that signs the change after it.
    public let key: String
    /// did:key that may sign that one instead.
    public let recovery: String?
    /// Base64url of the Ed25519 signature over the message of ``WalletSet``.
    public let signature: String

    /// From its parts.
    public init(owner: String, address: String, sequence: Int, key: String, recovery: String?, signature: String) {
        self.owner = owner
        self.address = address
        self.sequence = sequence
        self.key = key
        self.recovery = recovery
        self.signature = signature
    }
}

extension BillingState {
    /// An owner's wallets; nil while there is none.
    public func wallet(of owner: String) -> WalletChain? { wallets[owner] }

    /// Sets or changes an owner's wallet by a change that is signed.
    ///
    /// The first one is signed by a key that the owner has linked as a principal, or, of an owner whom no principal is, by the key that
    /// it names; each later one by the key that the one before it named, its recovery key, or the house's guardian.
    /// - Parameter lately: whether a key that the principal linked and has removed since counts as well. What an audit sees as removed
    ///   may have been linked when the change was decided.
    public func setWallet(_ request: WalletRequest, lately: Bool = false) throws(BillingError) -> Decision {
        guard let address = EVMAddress(request.address) else {
            throw .invalid(field: "address", reason: "must be 0x and 40 hexadecimal digits, in lower case or with the EIP-55 checksum")
        }
        for (field, key) in [("key", request.key), ("recovery", request.recovery ?? request.key)] where DIDKey.publicKey(in: key) == nil {
            throw .invalid(field: field, reason: "must be the did:key of an Ed25519 key")
        }
        guard request.recovery != request.key else {
            throw .invalid(field: "recovery", reason: "must be another key than the one that it stands in for")
        }
        let next = (wallets[request.owner]?.sequence ?? -1) + 1
        guard request.sequence == next else {
            throw .invalid(field: "sequence", reason: "must be \(next): each change of a wallet has the number after the one before")
        }
        let message = WalletSet.message(
            owner: request.owner, sequence: next, address: address.description, key: request.key, recovery: request.recovery)
        let keys = walletSigners(request, lately: lately)
        guard let signer = keys.first(where: { Self.isSigned(message, by: $0, request.signature) }) else {
            throw .invalid(
                field: "signature",
                reason: "is not that of \(keys.joined(separator: " or ")) over the message: see docs/billing.md, Wallets")
        }
        // An address that once was another's may still have claims, which must not flow to somebody else.
        guard walletOwners[address] == nil || walletOwners[address] == request.owner else {
            throw .exists("the wallet \(address) of another owner")
        }
        return Decision(
            .walletSet(
                WalletSet(
                    owner: request.owner, address: address.description, sequence: next, key: request.key, recovery: request.recovery,
                    signer: signer, signature: request.signature, recovered: signer != wallets[request.owner]?.key && next > 0)))
    }

    /// Who may sign an owner's next change, the likeliest first.
    private func walletSigners(_ request: WalletRequest, lately: Bool) -> [String] {
        if let chain = wallets[request.owner] { return [chain.key, chain.recovery, rules.guardian].compactMap { $0 } }
        // The account of a named author is that of whoever claimed it.
        guard let keys = known.keys[known.authors[request.owner] ?? request.owner] else { return [request.key] }
        return (lately ? keys.linked.union(keys.removed) : keys.linked).sorted()
    }

    private static func isSigned(_ message: [UInt8], by did: String, _ signature: String) -> Bool {
        guard let key = DIDKey.publicKey(in: did), let bytes = Base64URL.decode(signature) else { return false }
        return key.isValid(signature: bytes, for: message)
    }

    mutating func apply(_ data: WalletSet) throws(BillingFault) {
        func fault(_ reason: String) -> BillingFault { BillingFault(WalletSet.type, data.owner, reason) }
        guard let address = EVMAddress(data.address), walletOwners[address] == nil || walletOwners[address] == data.owner else {
            throw fault("sets a wallet that is none, or another's")
        }
        let before = wallets[data.owner]
        guard data.sequence == (before?.sequence ?? -1) + 1 else { throw fault("does not follow change \(before?.sequence ?? -1)") }
        // Which key a principal had linked is another service's to say: the audit looks at that.
        let isKnown = before.map { [$0.key, $0.recovery, rules.guardian].contains(data.signer) } ?? true
        guard isKnown, Self.isSigned(data.message, by: data.signer, data.signature) else {
            throw fault("is not signed by a key that may change this wallet")
        }
        wallets[data.owner] = WalletChain(address: address, sequence: data.sequence, key: data.key, recovery: data.recovery)
        walletOwners[address] = data.owner
    }
}
