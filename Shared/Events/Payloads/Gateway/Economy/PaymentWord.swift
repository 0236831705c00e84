public import JSON

/// What a payer signed: the members of an EIP-3009 authorisation (x402's `exact`) or of a permit (`upto`), as they were given.
public struct PaymentWord: EventPart {
    /// `exact` or `upto`.
    public var scheme: String
    /// The chain's number.
    public var chain: Int
    /// The token's address.
    public var token: String
    /// The token's name, as its contract signs; of `exact` only.
    public var name: String?
    /// The token's version; of `exact` only.
    public var version: String?
    /// Who pays, an address.
    public var from: String
    /// Who is paid, an address.
    public var to: String
    /// The amount, or the most of it: minor units.
    public var value: String
    /// From which second since 1970.
    public var validAfter: String
    /// Until which second.
    public var validBefore: String
    /// The payer's name for it: a hash of `exact`, a number of `upto`.
    public var nonce: String
    /// Who may say how much; of `upto` only.
    public var facilitator: String?
    /// By the payer's key: `0x` and 130 digits. Not on the log, where everybody could use it: a payment has a commitment to it instead.
    public var signature: String?

    /// From its parts.
    public init(
        scheme: String, chain: Int, token: String, name: String? = nil, version: String? = nil, from: String, to: String, value: String,
        validAfter: String, validBefore: String, nonce: String, facilitator: String? = nil, signature: String? = nil
    ) {
        self.scheme = scheme
        self.chain = chain
        self.token = token
        self.name = name
        self.version = version
        self.from = from
        self.to = to
        self.value = value
        self.validAfter = validAfter
        self.validBefore = validBefore
        self.nonce = nonce
        self.facilitator = facilitator
        self.signature = signature
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "scheme", "chain", "token", "name", "version", "from", "to", "value", "valid_after", "valid_before", "nonce", "facilitator",
            "signature",
        ])
        scheme = try fields.id("scheme")
        chain = try fields.count("chain")
        token = try fields.id("token")
        name = try fields.optionalID("name")
        version = try fields.optionalID("version")
        from = try fields.id("from")
        to = try fields.id("to")
        value = try fields.id("value")
        validAfter = try fields.id("valid_after")
        validBefore = try fields.id("valid_before")
        nonce = try fields.id("nonce")
        facilitator = try fields.optionalID("facilitator")
        signature = try fields.optionalID("signature")
    }

    /// What was signed, without the signature.
    public var unsigned: PaymentWord {
        var word = self
        word.signature = nil
        return word
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "scheme": .string(scheme), "chain": .count(chain), "token": .string(token), "name": name.map { .string($0) },
            "version": version.map { .string($0) }, "from": .string(from), "to": .string(to), "value": .string(value),
            "valid_after": .string(validAfter), "valid_before": .string(validBefore), "nonce": .string(nonce),
            "facilitator": facilitator.map { .string($0) }, "signature": signature.map { .string($0) },
        ])
    }
}
