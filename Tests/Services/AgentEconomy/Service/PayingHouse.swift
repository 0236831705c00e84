import AgentEconomyDomain
import Crypto
import EVM
import Events
import Foundation
import HTTP
import JSON
import Testing

/// Somebody who pays by x402 as a wallet does: every signature is made here, from what the seller asks for.
struct Payer: Sendable {
    let key: Secp256k1PrivateKey
    var address: EVMAddress { EVMAddress(key.publicKey) }

    init() throws { key = try Secp256k1PrivateKey.generate() }

    /// How a payment is made other than honestly.
    struct Changes {
        var value: String?
        var to: EVMAddress?
        var chain: Int?
        var validAfter = 0
        var validBefore = 4_000_000_000
        var nonce: Word?
        var identifier: String?
        /// Done to what was signed, after it was signed.
        var tamper: ((JSONObject) -> JSONObject)?
    }

    private func chain(_ terms: JSONValue) throws -> Int {
        let network = try text(terms, "network")
        return try #require(Int(network.dropFirst(7)))
    }

    private func text(_ json: JSONValue, _ path: String...) throws -> String {
        try #require(path.reduce(Optional(json)) { $0?[$1] }?.stringValue, "\(path) of \(json)")
    }

    /// The payment for one of the terms, as version 2 has it.
    func payment(_ terms: JSONValue, _ changes: Changes = Changes()) throws -> JSONValue {
        let payload = try text(terms, "scheme") == "upto" ? try permit(terms, changes) : try transfer(terms, changes)
        return .members([
            "x402Version": 2, "accepted": terms, "payload": payload,
            "extensions": changes.identifier.map { ["payment-identifier": ["info": ["required": .bool(false), "id": .string($0)]]] },
        ])
    }

    private func transfer(_ terms: JSONValue, _ changes: Changes) throws -> JSONValue {
        let to = try changes.to ?? #require(EVMAddress(try text(terms, "payTo")))
        let value = try changes.value ?? text(terms, "amount")
        let nonce = try changes.nonce ?? #require(Word(Random.bytes(32)))
        let authorization = TransferAuthorization(
            from: address, to: to, value: try #require(Word(decimal: value)), validAfter: Word(UInt128(changes.validAfter)),
            validBefore: Word(UInt128(changes.validBefore)), nonce: nonce)
        let domain = TypedData.domain(
            name: try text(terms, "extra", "name"), version: try text(terms, "extra", "version"),
            chainID: UInt64(try changes.chain ?? chain(terms)), contract: try #require(EVMAddress(try text(terms, "asset"))))
        let signed: JSONValue = [
            "from": .string(address.checksummed), "to": .string(to.checksummed), "value": .string(value),
            "validAfter": .string(String(changes.validAfter)), "validBefore": .string(String(changes.validBefore)),
            "nonce": .string(nonce.hex),
        ]
        let object = try #require(signed.objectValue)
        return [
            "authorization": .object(changes.tamper?(object) ?? object), "signature": try sign(authorization.digest(domain: domain)),
        ]
    }

    private func permit(_ terms: JSONValue, _ changes: Changes) throws -> JSONValue {
        let to = try changes.to ?? #require(EVMAddress(try text(terms, "payTo")))
        let value = try changes.value ?? text(terms, "amount")
        let facilitator = try #require(EVMAddress(try text(terms, "extra", "facilitatorAddress")))
        let nonce = String(UInt64.random(in: 1 ... .max))
        let permit = UptoPermit(
            from: address, token: try #require(EVMAddress(try text(terms, "asset"))), amount: try #require(Word(decimal: value)),
            spender: try #require(EVMAddress(UptoPermit.proxy)), nonce: try #require(Word(decimal: nonce)),
            deadline: Word(UInt128(changes.validBefore)), to: to, facilitator: facilitator, validAfter: Word(0))
        let digest = try #require(permit.digest(chainID: UInt64(try changes.chain ?? chain(terms))))
        return [
            "permit2Authorization": [
                "from": .string(address.checksummed),
                "permitted": ["token": .string(permit.token.checksummed), "amount": .string(value)],
                "spender": .string(UptoPermit.proxy), "nonce": .string(nonce), "deadline": .string(String(changes.validBefore)),
                "witness": ["to": .string(to.checksummed), "facilitator": .string(facilitator.checksummed), "validAfter": "0"],
            ], "signature": try sign(digest),
        ]
    }

    private func sign(_ digest: [UInt8]) throws -> JSONValue { .string("0x" + Hex.encode(try key.sign(digest).bytes)) }
}

extension EconomyHouse {
    /// Links a wallet to somebody.
    func link(_ payer: Payer, _ party: Party) async throws {
        let text = WalletRules.message(principal: party.id, address: payer.address.description)
        let signature = "0x" + Hex.encode(try payer.key.sign(PersonalMessage.digest(text)).bytes)
        _ = try await ok(
            "POST", "/v1/wallets", party.token, ["address": .string(payer.address.checksummed), "signature": .string(signature)])
    }

    /// What a service asks for, by scheme.
    func terms(_ service: String, _ scheme: String = "exact") async throws -> JSONValue {
        let answer = try await call("POST", "/x402/services/" + service, nil, ["brief": "Tides?"])
        try #require(answer.status == 402, "\(answer.json)")
        let header = try #require(answer.headers["PAYMENT-REQUIRED"])
        let bytes = try #require(Base64.decode(header))
        let offers = try JSON.parse(bytes)["accepts"]?.arrayValue ?? []
        return try #require(offers.first { $0["scheme"] == .string(scheme) }, "\(offers)")
    }

    /// Buys a service with a payment.
    func buy(_ service: String, _ payment: JSONValue, brief: String = "Tides?") async throws -> (answer: Answer, settlement: JSONValue?) {
        let answer = try await call(
            "POST", "/x402/services/" + service, nil, ["brief": .string(brief)],
            headers: ["PAYMENT-SIGNATURE": Base64.encode(JSON.write(payment))])
        let settlement = try answer.headers["PAYMENT-RESPONSE"].flatMap { Base64.decode($0) }.map { try JSON.parse($0) }
        return (answer, settlement)
    }

    /// Asks the facilitator.
    func facilitate(_ verb: String, _ payment: JSONValue, _ terms: JSONValue) async throws -> JSONValue {
        try await ok("POST", "/x402/" + verb, nil, ["x402Version": 2, "paymentPayload": payment, "paymentRequirements": terms])
    }
}
