public import JSON
public import Money

/// A community opened a Datanet.
public struct DatanetCreated: EventData, Hashable {
    /// `datanet.created`.
    public static let type = "datanet.created"

    /// The Datanet.
    public var datanet: String
    /// The principal who opened it.
    public var owner: String
    /// What it is about, one word.
    public var domain: String
    /// `text`, `image` or `audio`.
    public var media: String
    /// Its rules.
    public var policy: DatanetPolicy

    /// From its parts.
    public init(datanet: String, owner: String, domain: String, media: String, policy: DatanetPolicy) {
        self.datanet = datanet
        self.owner = owner
        self.domain = domain
        self.media = media
        self.policy = policy
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["datanet", "owner", "domain", "media", "policy"])
        datanet = try fields.id("datanet")
        owner = try fields.id("owner")
        domain = try fields.id("domain")
        media = try fields.id("media")
        policy = try DatanetPolicy(fields.object("policy"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet), "owner": .string(owner), "domain": .string(domain), "media": .string(media), "policy": policy.json,
        ])
    }
}

/// A Datanet's rules changed, by its owner or by a vote.
public struct DatanetPolicyChanged: EventData, Hashable {
    /// `datanet.policy-changed`.
    public static let type = "datanet.policy-changed"

    /// The Datanet.
    public var datanet: String
    /// Its rules from here on.
    public var policy: DatanetPolicy
    /// The proposal that decided it.
    public var proposal: String?

    /// From its parts.
    public init(datanet: String, policy: DatanetPolicy, proposal: String? = nil) {
        self.datanet = datanet
        self.policy = policy
        self.proposal = proposal
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["datanet", "policy", "proposal"])
        datanet = try fields.id("datanet")
        policy = try DatanetPolicy(fields.object("policy"))
        proposal = try fields.optionalID("proposal")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet), "policy": policy.json, "proposal": proposal.map { .string($0) },
        ])
    }
}

/// The rules of a Datanet.
public struct DatanetPolicy: EventPart {
    /// `open` for everybody to contribute, or `invitation`.
    public var access: String
    /// SPDX expressions that are taken.
    public var licences: [String]
    /// Of one access grant; nil is free.
    public var price: Amount?
    /// Basis points of what the Datanet earns that its treasury keeps.
    public var treasuryPoints: Int
    /// Basis points for its curators.
    public var curatorPoints: Int
    /// Basis points for its contributors by share; the three make 10,000.
    public var contributorPoints: Int
    /// `automatic` by quality, or `review` by a drawn panel.
    public var admission: String
    /// Least quality that is admitted automatically, 0 to 1,000.
    public var minimumQuality: Int
    /// Validators drawn for a review.
    public var panel: Int
    /// Votes that decide it.
    public var quorum: Int
    /// What a validator must have bonded.
    public var stake: Amount?
    /// One vote per `role`, `stake` or `row`.
    public var voting: String
    /// How votes and reviews run; ``GovernanceTerms/standard`` when nil.
    public var governance: GovernanceTerms?

    /// From its parts.
    public init(
        access: String, licences: [String], price: Amount? = nil, treasuryPoints: Int, curatorPoints: Int, contributorPoints: Int,
        admission: String, minimumQuality: Int, panel: Int, quorum: Int, stake: Amount? = nil, voting: String,
        governance: GovernanceTerms? = nil
    ) {
        self.access = access
        self.licences = licences
        self.price = price
        self.treasuryPoints = treasuryPoints
        self.curatorPoints = curatorPoints
        self.contributorPoints = contributorPoints
        self.admission = admission
        self.minimumQuality = minimumQuality
        self.panel = panel
        self.quorum = quorum
        self.stake = stake
        self.voting = voting
        self.governance = governance
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "access", "licences", "price", "treasury_points", "curator_points", "contributor_points", "admission", "minimum_quality",
            "panel", "quorum", "stake", "voting", "governance",
        ])
        access = try fields.id("access")
        licences = try fields.ids("licences")
        price = try fields.optionalAmount("price")
        treasuryPoints = try fields.count("treasury_points")
        curatorPoints = try fields.count("curator_points")
        contributorPoints = try fields.count("contributor_points")
        admission = try fields.id("admission")
        minimumQuality = try fields.count("minimum_quality")
        panel = try fields.count("panel")
        quorum = try fields.count("quorum")
        stake = try fields.optionalAmount("stake")
        voting = try fields.id("voting")
        governance = try fields.optionalObject("governance").map { value throws(JSONFieldError) in try GovernanceTerms(value) }
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "access": .string(access), "licences": .texts(licences), "price": price?.json, "treasury_points": .count(treasuryPoints),
            "curator_points": .count(curatorPoints), "contributor_points": .count(contributorPoints), "admission": .string(admission),
            "minimum_quality": .count(minimumQuality), "panel": .count(panel), "quorum": .count(quorum), "stake": stake?.json,
            "voting": .string(voting), "governance": governance?.json,
        ])
    }
}
