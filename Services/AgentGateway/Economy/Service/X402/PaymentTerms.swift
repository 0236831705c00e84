internal import AgentEconomyDomain
internal import EVM
internal import Events
internal import JSON

/// What is asked for a payment (x402 v2 §5.1 PaymentRequirements; in version 1 the same with other names).
struct PaymentTerms: Sendable, Hashable {
    var scheme: String
    var chain: Int
    var asset: EVMAddress
    /// Minor units.
    var amount: String
    var payTo: EVMAddress
    var seconds: Int
    var name: String?
    var version: String?
    var facilitator: EVMAddress?

    init(
        scheme: String, chain: Int, asset: EVMAddress, amount: String, payTo: EVMAddress, seconds: Int = 300, name: String?,
        version: String?, facilitator: EVMAddress? = nil
    ) {
        self.scheme = scheme
        self.chain = chain
        self.asset = asset
        self.amount = amount
        self.payTo = payTo
        self.seconds = seconds
        self.name = name
        self.version = version
        self.facilitator = facilitator
    }

    /// Reads those of either version.
    init(_ json: JSONValue, version old: Int) throws(PaymentError) {
        func text(_ name: String) throws(PaymentError) -> String {
            guard let text = json[name]?.stringValue, text.utf8.count <= 200 else {
                throw .malformed("paymentRequirements must have \(name), a text")
            }
            return text
        }
        func address(_ name: String) throws(PaymentError) -> EVMAddress {
            guard let address = EVMAddress(try text(name)) else { throw .malformed("\(name) must be an address") }
            return address
        }
        scheme = try text("scheme")
        let network = try text("network")
        guard let chain = PaymentNetworks.chain(network) else { throw .network(network) }
        self.chain = chain
        asset = try address("asset")
        amount = try text(old == 1 ? "maxAmountRequired" : "amount")
        payTo = try address("payTo")
        seconds = Int(json["maxTimeoutSeconds"]?.intValue ?? 300)
        name = json["extra"]?["name"]?.stringValue
        self.version = json["extra"]?["version"]?.stringValue
        facilitator = json["extra"]?["facilitatorAddress"]?.stringValue.flatMap { EVMAddress($0) }
    }

    private var extra: JSONValue {
        .members([
            "name": name.map { .string($0) }, "version": version.map { .string($0) },
            "facilitatorAddress": facilitator.map { .string($0.checksummed) },
        ])
    }

    /// As version 2 has them.
    var json: JSONValue {
        [
            "scheme": .string(scheme), "network": .string(PaymentNetworks.name(chain)), "amount": .string(amount),
            "asset": .string(asset.checksummed), "payTo": .string(payTo.checksummed), "maxTimeoutSeconds": .count(seconds), "extra": extra,
        ]
    }

    /// As version 1 has them.
    func old(resource: String, description: String) -> JSONValue {
        [
            "scheme": .string(scheme), "network": .string(PaymentNetworks.oldName(chain)), "maxAmountRequired": .string(amount),
            "resource": .string(resource), "description": .string(description), "mimeType": "application/json",
            "payTo": .string(payTo.checksummed), "maxTimeoutSeconds": .count(seconds), "asset": .string(asset.checksummed),
            "extra": extra,
        ]
    }
}
