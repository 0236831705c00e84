public import Crypto
public import JSON
public import Money

/// Somebody contests a settlement and puts up a bond.
public struct DisputeOpened: EventData, Hashable {
    /// `dispute.opened`.
    public static let type = "dispute.opened"

    /// The dispute.
    public var id: String
    /// What is contested.
    public var settlement: String
    /// Who contests it and pays the bond.
    public var account: AccountID
    /// What the loser forfeits.
    public var bond: Amount
    /// A code, never free text.
    public var reason: String
    /// SHA-256 of the evidence.
    public var evidence: Digest
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        id: String, settlement: String, account: AccountID, bond: Amount, reason: String, evidence: Digest, postings: EvidenceList<Posting>
    ) {
        self.id = id
        self.settlement = settlement
        self.account = account
        self.bond = bond
        self.reason = reason
        self.evidence = evidence
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "settlement", "account", "bond", "reason", "evidence", "postings"])
        id = try fields.id("id")
        settlement = try fields.id("settlement")
        account = try fields.account("account")
        bond = try fields.amount("bond")
        reason = try fields.id("reason")
        evidence = try fields.digest("evidence")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "id": .string(id), "settlement": .string(settlement), "account": .string(account.text), "bond": bond.json,
            "reason": .string(reason), "evidence": .digest(evidence), "postings": postings.json,
        ])
    }
}
