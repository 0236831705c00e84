public import JSON

/// A Datanet's members are asked to change its rules.
public struct ProposalOpened: EventData, Hashable {
    /// `proposal.opened`.
    public static let type = "proposal.opened"

    /// The proposal.
    public var proposal: String
    /// The Datanet.
    public var datanet: String
    /// Who.
    public var proposer: String
    /// The rules as they would be.
    public var policy: DatanetPolicy
    /// What counts as a vote: `role`, `stake` or `row`.
    public var voting: String
    /// Votes must come before this, in log time.
    public var closes: Timestamp
    /// Basis points of the electorate that must vote.
    public var quorumPoints: Int
    /// How long after it passed it takes effect.
    public var timelockSeconds: Int
    /// All votes together, decimal.
    public var electorate: String
    /// Who may vote, with how much: as it was at the opening.
    public var roll: EvidenceList<VoterWeight>

    /// From its parts.
    public init(
        proposal: String, datanet: String, proposer: String, policy: DatanetPolicy, voting: String, closes: Timestamp, quorumPoints: Int,
        timelockSeconds: Int, electorate: String, roll: EvidenceList<VoterWeight>
    ) {
        self.proposal = proposal
        self.datanet = datanet
        self.proposer = proposer
        self.policy = policy
        self.voting = voting
        self.closes = closes
        self.quorumPoints = quorumPoints
        self.timelockSeconds = timelockSeconds
        self.electorate = electorate
        self.roll = roll
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "proposal", "datanet", "proposer", "policy", "voting", "closes", "quorum_points", "timelock_seconds", "electorate", "roll",
        ])
        proposal = try fields.id("proposal")
        datanet = try fields.id("datanet")
        proposer = try fields.id("proposer")
        policy = try DatanetPolicy(fields.object("policy"))
        voting = try fields.id("voting")
        closes = try fields.timestamp("closes")
        quorumPoints = try fields.count("quorum_points")
        timelockSeconds = try fields.count("timelock_seconds")
        electorate = try fields.id("electorate")
        roll = try EvidenceList(fields.object("roll"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "proposal": .string(proposal),
            "datanet": .string(datanet),
            "proposer": .string(proposer),
            "policy": policy.json,
            "voting": .string(voting),
            "closes": .string(closes.description),
            "quorum_points": .count(quorumPoints),
            "timelock_seconds": .count(timelockSeconds),
            "electorate": .string(electorate),
            "roll": roll.json,
        ])
    }
}

/// A voter and how many votes.
public struct VoterWeight: EventPart {
    /// Who.
    public var principal: String
    /// How many, decimal.
    public var weight: String

    /// From its parts.
    public init(principal: String, weight: String) {
        self.principal = principal
        self.weight = weight
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["principal", "weight"])
        principal = try fields.id("principal")
        weight = try fields.id("weight")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "principal": .string(principal),
            "weight": .string(weight),
        ])
    }
}

/// Somebody voted on a proposal.
public struct ProposalVoted: EventData, Hashable {
    /// `proposal.voted`.
    public static let type = "proposal.voted"

    /// The proposal.
    public var proposal: String
    /// The Datanet.
    public var datanet: String
    /// Who.
    public var voter: String
    /// Which way.
    public var inFavour: Bool
    /// With how many votes, decimal.
    public var weight: String

    /// From its parts.
    public init(proposal: String, datanet: String, voter: String, inFavour: Bool, weight: String) {
        self.proposal = proposal
        self.datanet = datanet
        self.voter = voter
        self.inFavour = inFavour
        self.weight = weight
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["proposal", "datanet", "voter", "in_favour", "weight"])
        proposal = try fields.id("proposal")
        datanet = try fields.id("datanet")
        voter = try fields.id("voter")
        inFavour = try fields.bool("in_favour")
        weight = try fields.id("weight")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "proposal": .string(proposal),
            "datanet": .string(datanet),
            "voter": .string(voter),
            "in_favour": .bool(inFavour),
            "weight": .string(weight),
        ])
    }
}

/// A vote came to its end.
public struct ProposalClosed: EventData, Hashable {
    /// `proposal.closed`.
    public static let type = "proposal.closed"

    /// The proposal.
    public var proposal: String
    /// The Datanet.
    public var datanet: String
    /// `passed`, `rejected` or `no-quorum`.
    public var outcome: String
    /// Votes for it, decimal.
    public var inFavour: String
    /// Votes against it, decimal.
    public var against: String
    /// When it takes effect, in log time; nil when it does not.
    public var enacts: Timestamp?

    /// From its parts.
    public init(proposal: String, datanet: String, outcome: String, inFavour: String, against: String, enacts: Timestamp? = nil) {
        self.proposal = proposal
        self.datanet = datanet
        self.outcome = outcome
        self.inFavour = inFavour
        self.against = against
        self.enacts = enacts
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["proposal", "datanet", "outcome", "in_favour", "against", "enacts"])
        proposal = try fields.id("proposal")
        datanet = try fields.id("datanet")
        outcome = try fields.id("outcome")
        inFavour = try fields.id("in_favour")
        against = try fields.id("against")
        enacts = try fields.optionalTimestamp("enacts")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "proposal": .string(proposal),
            "datanet": .string(datanet),
            "outcome": .string(outcome),
            "in_favour": .string(inFavour),
            "against": .string(against),
            "enacts": enacts.map { .string($0.description) },
        ])
    }
}
