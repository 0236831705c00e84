public import JSON

/// How long votes, reviews and appeals take, and what a wrong vote costs. A policy without them has ``standard``.
public struct GovernanceTerms: EventPart {
    /// How long a proposal takes votes.
    public var votingSeconds: Int
    /// From passing to taking effect.
    public var timelockSeconds: Int
    /// Basis points of all votes that must be cast.
    public var quorumPoints: Int
    /// How long a panel takes votes.
    public var reviewSeconds: Int
    /// How long after its end a decision can be appealed.
    public var appealSeconds: Int
    /// Basis points of the stake that a vote on the wrong side of a ruling costs.
    public var penaltyPoints: Int

    /// From its parts.
    public init(votingSeconds: Int, timelockSeconds: Int, quorumPoints: Int, reviewSeconds: Int, appealSeconds: Int, penaltyPoints: Int) {
        self.votingSeconds = votingSeconds
        self.timelockSeconds = timelockSeconds
        self.quorumPoints = quorumPoints
        self.reviewSeconds = reviewSeconds
        self.appealSeconds = appealSeconds
        self.penaltyPoints = penaltyPoints
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "voting_seconds", "timelock_seconds", "quorum_points", "review_seconds", "appeal_seconds", "penalty_points",
        ])
        votingSeconds = try fields.count("voting_seconds")
        timelockSeconds = try fields.count("timelock_seconds")
        quorumPoints = try fields.count("quorum_points")
        reviewSeconds = try fields.count("review_seconds")
        appealSeconds = try fields.count("appeal_seconds")
        penaltyPoints = try fields.count("penalty_points")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "voting_seconds": .count(votingSeconds),
            "timelock_seconds": .count(timelockSeconds),
            "quorum_points": .count(quorumPoints),
            "review_seconds": .count(reviewSeconds),
            "appeal_seconds": .count(appealSeconds),
            "penalty_points": .count(penaltyPoints),
        ])
    }
}

extension GovernanceTerms {
    /// A week to vote, a day until it holds, a fifth of the votes; three days for a panel, two weeks to appeal, a tenth of the stake.
    public static let standard = GovernanceTerms(
        votingSeconds: 604_800, timelockSeconds: 86_400, quorumPoints: 2_000, reviewSeconds: 259_200, appealSeconds: 1_209_600,
        penaltyPoints: 1_000)
}
