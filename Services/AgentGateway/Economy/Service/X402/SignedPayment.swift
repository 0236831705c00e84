internal import AgentEconomyDomain
internal import EVM
internal import Events
internal import JSON

/// A payment as a client sends it (x402 v2 §5.2 PaymentPayload; version 1 names scheme and network at the top).
struct SignedPayment: Sendable {
    let x402: Int
    let scheme: String
    let network: String
    /// The terms that the client chose; version 2 only.
    let accepted: PaymentTerms?
    let payload: JSONValue
    let extensions: JSONValue?

    init(_ json: JSONValue) throws(PaymentError) {
        guard json.objectValue != nil else { throw .malformed("the payment must be an object") }
        guard let x402 = json["x402Version"]?.intValue, x402 == 1 || x402 == 2 else { throw .version }
        self.x402 = Int(x402)
        guard let payload = json["payload"], payload.objectValue != nil else { throw .malformed("payload must be an object") }
        self.payload = payload
        extensions = json["extensions"]
        if x402 == 2 {
            guard let accepted = json["accepted"], accepted.objectValue != nil else { throw .malformed("accepted must be an object") }
            let terms = try PaymentTerms(accepted, version: 2)
            self.accepted = terms
            scheme = terms.scheme
            network = PaymentNetworks.name(terms.chain)
        } else {
            guard let scheme = json["scheme"]?.stringValue, let network = json["network"]?.stringValue else {
                throw .malformed("scheme and network must be texts")
            }
            accepted = nil
            self.scheme = scheme
            self.network = network
        }
    }

    /// The payer's own name for it (extension `payment-identifier`).
    var identifier: String? {
        get throws(PaymentError) {
            guard let id = extensions?["payment-identifier"]?["info"]?["id"], !id.isNull else { return nil }
            guard let text = id.stringValue, (16...128).contains(text.utf8.count),
                text.utf8.allSatisfy({
                    (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x2d || $0 == 0x5f
                })
            else { throw .malformed("the payment-identifier must be 16 to 128 of A-Z a-z 0-9 _ -") }
            return text
        }
    }

    /// The mandate that pays (our extension `openledger`), where the payer has several.
    var mandate: String? { extensions?["openledger"]?["mandate"]?.stringValue }

    /// A human's word for it (the same extension), where the mandate wants one.
    var approval: String? { extensions?["openledger"]?["approval"]?.stringValue }

    /// The terms of a payment that was taken up from the same payer under the same name, and the payment.
    func known(_ state: EconomyState) -> (payment: Payment, terms: PaymentTerms)? {
        let said = payload[scheme == "upto" ? "permit2Authorization" : "authorization"]
        guard let chain = PaymentNetworks.chain(network), let said, let from = try? Self.address(said, "from"),
            let nonce = try? (scheme == "upto" ? Self.number(said, "nonce") : Self.text(said, "nonce").lowercased()),
            let payment = state.payment(chain: chain, scheme: scheme, from: from, nonce: nonce)
        else { return nil }
        let word = payment.data.word
        guard let token = EVMAddress(word.token), let to = EVMAddress(word.to) else { return nil }
        return (
            payment,
            PaymentTerms(
                scheme: word.scheme, chain: word.chain, asset: token, amount: word.value, payTo: to, name: word.name, version: word.version,
                facilitator: word.facilitator.flatMap { EVMAddress($0) })
        )
    }

    /// What was signed, with the terms that it must fit.
    func word(for terms: PaymentTerms) throws(PaymentError) -> PaymentWord {
        guard let signature = payload["signature"]?.stringValue else { throw .malformed("payload must have a signature") }
        return scheme == "upto" ? try permit(terms, signature) : try authorization(terms, signature)
    }

    private func authorization(_ terms: PaymentTerms, _ signature: String) throws(PaymentError) -> PaymentWord {
        guard let said = payload["authorization"], said.objectValue != nil else { throw .malformed("payload must have an authorization") }
        return PaymentWord(
            scheme: "exact", chain: terms.chain, token: terms.asset.description, name: terms.name, version: terms.version,
            from: try Self.address(said, "from"), to: try Self.address(said, "to"), value: try Self.number(said, "value"),
            validAfter: try Self.number(said, "validAfter"), validBefore: try Self.number(said, "validBefore"),
            nonce: try Self.text(said, "nonce").lowercased(), signature: signature.lowercased())
    }

    private func permit(_ terms: PaymentTerms, _ signature: String) throws(PaymentError) -> PaymentWord {
        guard let said = payload["permit2Authorization"], let permitted = said["permitted"], let witness = said["witness"] else {
            throw .malformed("payload must have a permit2Authorization with permitted and witness")
        }
        guard try Self.address(said, "spender") == UptoPermit.proxy.lowercased() else { throw .malformed("spender must be x402's proxy") }
        guard try Self.address(permitted, "token") == terms.asset.description else { throw .asset(try Self.text(permitted, "token")) }
        return PaymentWord(
            scheme: "upto", chain: terms.chain, token: terms.asset.description, from: try Self.address(said, "from"),
            to: try Self.address(witness, "to"), value: try Self.number(permitted, "amount"),
            validAfter: try Self.number(witness, "validAfter"), validBefore: try Self.number(said, "deadline"),
            nonce: try Self.number(said, "nonce"), facilitator: try Self.address(witness, "facilitator"), signature: signature.lowercased())
    }

    private static func text(_ json: JSONValue, _ name: String) throws(PaymentError) -> String {
        guard let text = json[name]?.stringValue, (1...200).contains(text.utf8.count) else { throw .malformed("\(name) must be a text") }
        return text
    }

    private static func number(_ json: JSONValue, _ name: String) throws(PaymentError) -> String {
        if let number = json[name]?.intValue, number >= 0 { return String(number) }
        return try text(json, name)
    }

    private static func address(_ json: JSONValue, _ name: String) throws(PaymentError) -> String {
        guard let address = EVMAddress(try text(json, name)) else { throw .malformed("\(name) must be an address") }
        return address.description
    }
}
