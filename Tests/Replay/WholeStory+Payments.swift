import AgentEconomyDomain
import Crypto
import EVM
import Events
import HTTP
import HTTPClient
import JSON
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing

/// What an agent pays for at once: an answer under its mandate, one that it buys by x402, and one that is never made.
extension StoryTelling {
    func payments(_ people: People) async throws {
        let mandate = try await granted(people)
        let settled = try await whole.count(SettlementPosted.type)
        try await ask(Self.tide[1], as: people.bot, settled + 1)
        let key = try Secp256k1PrivateKey.generate()
        try await link(key, to: people.bot)
        // Who has nothing can't pay the model for what they sell.
        try await open("payer:" + people.carl, 1)
        #expect(try await buy(try await sold(by: people.olga), with: key) == 200)
        try await whole.wait(for: PaymentSettled.type, 1)
        try await whole.wait(for: SettlementPosted.type, settled + 2)
        #expect(try await buy(try await sold(by: people.carl), with: key) >= 400)
        try await whole.wait(for: PaymentFailed.type, 1)
        try await whole.call("POST", "/v1/mandates/\(mandate)/revocation", as: people.pia)
    }

    /// Links a wallet's address to somebody.
    func link(_ key: Secp256k1PrivateKey, to principal: String) async throws {
        let address = EVMAddress(key.publicKey)
        let text = WalletRules.message(principal: principal, address: address.description)
        let signature = "0x" + Hex.encode(try key.sign(PersonalMessage.digest(text)).bytes)
        try await whole.call(
            "POST", "/v1/wallets", as: principal, ["address": .string(address.checksummed), "signature": .string(signature)])
    }

    /// A service that answers at once, by a model.
    private func sold(by seller: String) async throws -> String {
        let listed = try await whole.call(
            "POST", "/v1/services", as: seller,
            [
                "page": ["name": "Tides at once", "description": "High water", "model": "olga/tides", "max_tokens": 40],
                "price": amount(60_000), "seconds": 600,
            ])
        return try #require(listed["service"]?.stringValue)
    }

    /// Buys a service by x402 as a wallet does.
    /// - Returns: the answer's status.
    private func buy(_ service: String, with key: Secp256k1PrivateKey) async throws -> Int {
        func post(_ headers: [(String, String)]) async throws -> (status: Int, headers: Headers) {
            var request = ClientRequest(method: "POST", url: "http://house/x402/services/" + service, timeout: .seconds(60))
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(["brief": "harbour master ledger tide?"]))
            for (name, value) in headers { request.headers.set(name, value) }
            let response = try await whole.house.transport.send(request)
            _ = try await response.body.collect(upTo: 1 << 20)
            return (response.status, response.headers)
        }
        let asked = try await post([])
        let header = try #require(asked.headers["PAYMENT-REQUIRED"])
        let offers = try JSON.parse(try #require(Base64.decode(header)))
        let terms = try #require(offers["accepts"]?.arrayValue?.first { $0["scheme"] == "exact" })
        let payment: JSONValue = ["x402Version": 2, "accepted": terms, "payload": try signed(terms, key)]
        return try await post([("PAYMENT-SIGNATURE", Base64.encode(JSON.write(payment)))]).status
    }

    /// The payload of the scheme `exact`: an EIP-3009 authorisation.
    private func signed(_ terms: JSONValue, _ key: Secp256k1PrivateKey) throws -> JSONValue {
        func text(_ value: JSONValue?) throws -> String { try #require(value?.stringValue) }
        let from = EVMAddress(key.publicKey), to = try #require(EVMAddress(try text(terms["payTo"])))
        let value = try text(terms["amount"])
        let nonce = try #require(Word(Random.bytes(32)))
        let authorization = TransferAuthorization(
            from: from, to: to, value: try #require(Word(decimal: value)), validAfter: Word(0), validBefore: Word(9_000_000_000),
            nonce: nonce)
        let domain = TypedData.domain(
            name: try text(terms["extra"]?["name"]), version: try text(terms["extra"]?["version"]),
            chainID: try #require(UInt64(try text(terms["network"]).dropFirst(7))),
            contract: try #require(EVMAddress(try text(terms["asset"]))))
        let signature = try key.sign(authorization.digest(domain: domain))
        return [
            "authorization": [
                "from": .string(from.checksummed), "to": .string(to.checksummed), "value": .string(value), "validAfter": "0",
                "validBefore": "9000000000", "nonce": .string(nonce.hex),
            ], "signature": .string("0x" + Hex.encode(signature.bytes)),
        ]
    }
}
