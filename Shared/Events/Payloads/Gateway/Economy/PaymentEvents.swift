public import Crypto
public import JSON
public import Money

/// A signed payment was taken: its nonce is used, and until `payment.settled` or `payment.failed` its outcome is not known.
public struct PaymentOpened: EventData, Hashable {
    /// `payment.opened`.
    public static let type = "payment.opened"

    /// The payment.
    public var payment: String
    /// How money moves: `transfer` between accounts here, `task` into a task's escrow, `chain` by a token's contract.
    public var means: String
    /// What the payer signed.
    public var word: PaymentWord
    /// Whose money, and who signed; nil for a payer that only a chain knows.
    public var payer: String?
    /// The account's owner, where the payer spends under a mandate.
    public var source: String?
    /// Who is paid here; nil where a chain alone pays.
    public var payee: String?
    /// The most that it takes.
    public var amount: Amount
    /// What is bought.
    public var service: String?
    /// Commitment to what was delivered for it, in earlier events; now `payment.delivered` has it.
    public var delivery: Digest?
    /// Commitment to the signature, which is kept sealed.
    public var signature: Digest?
    /// Commitment to what was asked for, of what is bought here: who asks for the answer again has to know it.
    public var brief: Digest?
    /// Billing's hold on the payer's balance until the answer is there, of a model's answer paid by credit.
    public var hold: String?
    /// The payer's own name for it (x402's payment-identifier).
    public var identifier: String?
    /// The authorisation under the payer's mandate.
    public var authorization: String?
    /// The log time that it was decided at.
    public var at: Timestamp

    /// From its parts.
    public init(
        payment: String, means: String, word: PaymentWord, payer: String? = nil, source: String? = nil, payee: String? = nil,
        amount: Amount, service: String? = nil, delivery: Digest? = nil, signature: Digest? = nil, brief: Digest? = nil,
        hold: String? = nil, identifier: String? = nil, authorization: String? = nil, at: Timestamp
    ) {
        self.payment = payment
        self.means = means
        self.word = word
        self.payer = payer
        self.source = source
        self.payee = payee
        self.amount = amount
        self.service = service
        self.delivery = delivery
        self.signature = signature
        self.brief = brief
        self.hold = hold
        self.identifier = identifier
        self.authorization = authorization
        self.at = at
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "payment", "means", "word", "payer", "source", "payee", "amount", "service", "delivery", "signature", "brief",
            "hold", "identifier", "authorization", "at",
        ])
        payment = try fields.id("payment")
        means = try fields.id("means")
        word = try PaymentWord(fields.object("word"))
        payer = try fields.optionalID("payer")
        source = try fields.optionalID("source")
        payee = try fields.optionalID("payee")
        amount = try fields.amount("amount")
        service = try fields.optionalID("service")
        delivery = try fields.optionalDigest("delivery")
        signature = try fields.optionalDigest("signature")
        brief = try fields.optionalDigest("brief")
        hold = try fields.optionalID("hold")
        identifier = try fields.optionalID("identifier")
        authorization = try fields.optionalID("authorization")
        at = try fields.timestamp("at")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "payment": .string(payment), "means": .string(means), "word": word.json, "payer": payer.map { .string($0) },
            "source": source.map { .string($0) }, "payee": payee.map { .string($0) }, "amount": amount.json,
            "service": service.map { .string($0) }, "delivery": delivery.map { .digest($0) },
            "signature": signature.map { .digest($0) }, "brief": brief.map { .digest($0) }, "hold": hold.map { .string($0) },
            "identifier": identifier.map { .string($0) },
            "authorization": authorization.map { .string($0) }, "at": .string(at.description),
        ])
    }
}

/// What a payment buys was made: from here on its price is known, and it is paid.
public struct PaymentDelivered: EventData, Hashable {
    /// `payment.delivered`.
    public static let type = "payment.delivered"

    /// The payment.
    public var payment: String
    /// Commitment to what was delivered.
    public var delivery: Digest
    /// What it takes.
    public var amount: Amount

    /// From its parts.
    public init(payment: String, delivery: Digest, amount: Amount) {
        self.payment = payment
        self.delivery = delivery
        self.amount = amount
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["payment", "delivery", "amount"])
        payment = try fields.id("payment")
        delivery = try fields.digest("delivery")
        amount = try fields.amount("amount")
    }

    /// As it is written.
    public var json: JSONValue {
        ["payment": .string(payment), "delivery": .digest(delivery), "amount": amount.json]
    }
}

/// A transaction that carries a payment out was signed, and may be on its chain from now on.
public struct PaymentSent: EventData, Hashable {
    /// `payment.sent`.
    public static let type = "payment.sent"

    /// The payment.
    public var payment: String
    /// The transaction's hash.
    public var transaction: String

    /// From its parts.
    public init(payment: String, transaction: String) {
        self.payment = payment
        self.transaction = transaction
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["payment", "transaction"])
        payment = try fields.id("payment")
        transaction = try fields.id("transaction")
    }

    /// As it is written.
    public var json: JSONValue { ["payment": .string(payment), "transaction": .string(transaction)] }
}
