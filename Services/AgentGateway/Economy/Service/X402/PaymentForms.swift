internal import AgentEconomyDomain
internal import Crypto
internal import EVM
internal import Events
internal import HTTP
internal import JSON
internal import Money
internal import Web

/// What x402 says and hears, in both of its versions.
enum PaymentForms {
    /// A service as something to be paid for.
    struct Resource: Sendable {
        let entry: ServiceDirectory.Entry
        let url: String
        let offers: [PaymentTerms]
    }

    /// What a service may be paid with: the house's own credit always, and the configured token where a model answers at once.
    static func resource(_ entry: ServiceDirectory.Entry, _ networks: PaymentNetworks, base: String) -> Resource {
        let listed = entry.listed
        let payee = EconomyState.payee(listed.provider)
        var offers: [PaymentTerms] = []
        if listed.price.isPositive, networks.assets.contains(listed.price.asset) {
            let exact = PaymentTerms(
                scheme: "exact", chain: networks.chain, asset: PaymentNetworks.address(of: listed.price.asset),
                amount: listed.price.unitsText, payTo: payee, name: listed.price.asset.text, version: PaymentNetworks.version)
            offers.append(exact)
            if entry.page.model != nil {
                var upto = exact
                upto.scheme = "upto"
                upto.facilitator = networks.facilitator
                offers.append(upto)
            }
        }
        if listed.price.isPositive, entry.page.model != nil, let token = networks.token, token.asset == listed.price.asset {
            offers.append(
                PaymentTerms(
                    scheme: "exact", chain: token.chain, asset: token.address, amount: listed.price.unitsText, payTo: networks.facilitator,
                    name: token.name, version: token.version))
        }
        return Resource(entry: entry, url: "\(base)/x402/services/\(listed.service)", offers: offers)
    }

    private static let identifier: JSONValue = [
        "info": ["required": .bool(false)],
        "schema": [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
            "properties": [
                "required": ["type": "boolean"],
                "id": ["type": "string", "minLength": 16, "maxLength": 128, "pattern": "^[a-zA-Z0-9_-]+$"],
            ], "required": ["required"],
        ],
    ]

    /// 402: what it costs, for clients of either version.
    static func required(_ resource: Resource, because error: String? = nil) -> Response {
        let page = resource.entry.page
        let now = JSONValue.members([
            "x402Version": 2, "error": error.map { .string($0) },
            "resource": [
                "url": .string(resource.url), "description": .string(page.description), "mimeType": "application/json",
            ],
            "accepts": .array(resource.offers.map(\.json)), "extensions": ["payment-identifier": identifier],
        ])
        let old = JSONValue.members([
            "x402Version": 1, "error": .string(error ?? "X-PAYMENT header is required"),
            "accepts": .array(
                resource.offers.filter { $0.scheme == "exact" }.map { $0.old(resource: resource.url, description: page.description) }),
        ])
        return .json(old, status: 402, headers: ["PAYMENT-REQUIRED": Base64.encode(JSON.write(now))])
    }

    /// As facilitators list it.
    static func discovered(_ resource: Resource) -> JSONValue {
        let page = resource.entry.page
        return [
            "resource": .string(resource.url), "type": "http", "x402Version": 2, "accepts": .array(resource.offers.map(\.json)),
            "description": .string(page.description), "mimeType": "application/json", "serviceName": .string(String(page.name.prefix(32))),
            "tags": .texts(page.tags.prefix(5).map { String($0.prefix(32)) }),
            "extensions": [
                "bazaar": [
                    "info": [
                        "input": ["type": "http", "method": "POST", "bodyType": "json", "body": ["brief": "What is wanted."]],
                        "output": ["type": "json"],
                    ]
                ]
            ],
        ]
    }

    /// What came of a payment (x402 v2 §5.3 SettlementResponse; version 1 has the same members).
    static func settlement(_ payment: Payment, network: String) -> JSONValue {
        let status = payment.status
        return .members([
            "success": .bool(status == .settled), "errorReason": reason(of: payment).map { .string($0) },
            "payer": .string(checksummed(payment.data.word.from)), "transaction": .string(payment.transaction ?? ""),
            "network": .string(network), "amount": status == .settled ? .string(payment.amount.unitsText) : nil,
            "extra": ["payment": .string(payment.data.payment), "status": .string(status.rawValue)],
        ])
    }

    private static func reason(of payment: Payment) -> String? {
        switch payment.status {
        case .settled: nil
        case .failed: payment.reason ?? "unexpected_settle_error"
        case .unknown: "settlement_pending"
        }
    }

    /// A payment that was not taken up.
    static func refusal(_ error: PaymentError, payer: String?, network: String) -> JSONValue {
        .members([
            "success": .bool(false), "errorReason": .string(error.code), "errorMessage": .string(error.description),
            "payer": payer.map { .string(checksummed($0)) }, "transaction": "", "network": .string(network),
        ])
    }

    static func checksummed(_ address: String) -> String { EVMAddress(address)?.checksummed ?? address }

    /// What `GET /x402/payments` says.
    static func status(_ payment: Payment) -> JSONValue {
        .members([
            "payment": .string(payment.data.payment), "status": .string(payment.status.rawValue),
            "network": .string(PaymentNetworks.name(payment.data.word.chain)), "payer": .string(checksummed(payment.data.word.from)),
            "nonce": .string(payment.data.word.nonce), "amount": payment.amount.json,
            "transaction": payment.transaction.map { .string($0) }, "reason": payment.reason.map { .string($0) },
            "opened": .string(payment.data.at.description),
        ])
    }
}
