public import JSON

/// Somebody says that they are the author whom others named when they brought in openly licensed work.
public struct ContributorClaimRequested: EventData, Hashable {
    /// `contributor.claim-requested`.
    public static let type = "contributor.claim-requested"

    /// The claim.
    public var claim: String
    /// The author's account, `author_…`: a keyed hash of the name, which the claimant had to know.
    public var author: String
    /// Who claims it.
    public var principal: String
    /// A contribution that has work of the author. The owners of its Datanet decide.
    public var contribution: String

    /// From its parts.
    public init(claim: String, author: String, principal: String, contribution: String) {
        self.claim = claim
        self.author = author
        self.principal = principal
        self.contribution = contribution
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["claim", "author", "principal", "contribution"])
        claim = try fields.id("claim")
        author = try fields.id("author")
        principal = try fields.id("principal")
        contribution = try fields.id("contribution")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "claim": .string(claim), "author": .string(author), "principal": .string(principal), "contribution": .string(contribution),
        ])
    }
}

/// An owner of a Datanet that has work of an author says who that author is: from here on the author's account is that principal's.
public struct ContributorClaimed: EventData, Hashable {
    /// `contributor.claimed`.
    public static let type = "contributor.claimed"

    /// The claim.
    public var claim: String
    /// The author's account.
    public var author: String
    /// Whose it is now.
    public var principal: String
    /// The Datanet whose owner looked at the proof.
    public var datanet: String
    /// What was proven: `mail`, `domain` or `vouched`.
    public var proof: String

    /// From its parts.
    public init(claim: String, author: String, principal: String, datanet: String, proof: String) {
        self.claim = claim
        self.author = author
        self.principal = principal
        self.datanet = datanet
        self.proof = proof
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["claim", "author", "principal", "datanet", "proof"])
        claim = try fields.id("claim")
        author = try fields.id("author")
        principal = try fields.id("principal")
        datanet = try fields.id("datanet")
        proof = try fields.id("proof")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "claim": .string(claim), "author": .string(author), "principal": .string(principal), "datanet": .string(datanet),
            "proof": .string(proof),
        ])
    }
}
