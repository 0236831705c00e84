public import Crypto
public import JSON
public import Money

/// Money is on its way out on a payment rail.
public struct PayoutRequested: EventData, Hashable {
    /// `payout.requested`.
    public static let type = "payout.requested"

    /// The payout.
    public var id: String
    /// Whose money.
    public var account: AccountID
    /// How much.
    public var amount: Amount
    /// The payment rail.
    public var rail: String
    /// Commitment to where it goes; the place itself is content.
    public var destination: Digest
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        id: String, account: AccountID, amount: Amount, rail: String, destination: Digest, postings: EvidenceList<Posting>
    ) {
        self.id = id
        self.account = account
        self.amount = amount
        self.rail = rail
        self.destination = destination
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "account", "amount", "rail", "destination", "postings"])
        id = try fields.id("id")
        account = try fields.account("account")
        amount = try fields.amount("amount")
        rail = try fields.id("rail")
        destination = try fields.digest("destination")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "id": .string(id), "account": .string(account.text), "amount": amount.json, "rail": .string(rail),
            "destination": .digest(destination), "postings": postings.json,
        ])
    }
}
