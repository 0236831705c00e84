import BillingDomain
import Crypto
import Events
import Identity
import JSON

/// A key that signs changes of wallets.
struct WalletKey {
    let key: Ed25519PrivateKey

    init(_ number: UInt8) throws { key = try Ed25519PrivateKey(seed: [UInt8](repeating: number, count: 32)) }

    var did: String { DIDKey.text(for: key.publicKey) }

    /// A change that this key signs.
    /// - Parameter next: the key of the change after it; this one when left out.
    func request(
        _ owner: String, _ address: String, _ sequence: Int = 0, next: WalletKey? = nil, recovery: WalletKey? = nil
    ) throws -> WalletRequest {
        let did = (next ?? self).did
        let message = WalletSet.message(owner: owner, sequence: sequence, address: address, key: did, recovery: recovery?.did)
        return WalletRequest(
            owner: owner, address: address, sequence: sequence, key: did, recovery: recovery?.did,
            signature: Base64URL.encode(try key.sign(message)))
    }

    /// The same as a body.
    func body(
        _ owner: String, _ address: String, _ sequence: Int = 0, next: WalletKey? = nil, recovery: WalletKey? = nil
    ) throws -> JSONValue {
        let request = try request(owner, address, sequence, next: next, recovery: recovery)
        return .members([
            "owner": .string(owner), "address": .string(address), "sequence": .count(sequence), "key": .string(request.key),
            "recovery": request.recovery.map { .string($0) }, "signature": .string(request.signature),
        ])
    }

    static func address(_ number: Int) -> String { "0x" + String(repeating: String(10 + number), count: 20) }
}
