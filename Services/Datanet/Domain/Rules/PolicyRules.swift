public import Events
internal import Licences
internal import Money

/// The limits within which a community sets its rules.
public enum PolicyRules {
    /// At least this many basis points of what a Datanet earns go to its contributors.
    public static let leastForContributors = 5_000
    /// Validators on one panel.
    public static let panels = 1...25
    /// Most licences that a policy names.
    public static let maximumLicences = 50
    /// A vote takes at most a quarter, a time-lock at most 30 days.
    public static let longestVote = 7_776_000
    /// In seconds.
    public static let longestTimelock = 2_592_000

    /// Refuses a policy outside the limits, naming the rule.
    public static func check(_ policy: DatanetPolicy) throws(DatanetRefusal) {
        guard ["open", "invitation"].contains(policy.access) else { throw .badPolicy("access is open or invitation") }
        guard ["automatic", "review"].contains(policy.admission) else { throw .badPolicy("admission is automatic or review") }
        guard ["role", "stake", "row"].contains(policy.voting) else { throw .badPolicy("voting is by role, stake or row") }
        guard (1...maximumLicences).contains(policy.licences.count) else {
            throw .badPolicy("a policy names 1 to \(maximumLicences) licences")
        }
        for licence in policy.licences {
            let expression: LicenceExpression
            do throws(LicenceError) { expression = try LicenceExpression(licence) } catch {
                throw .badPolicy("\(licence.prefix(80)) is not one SPDX licence: \(error)")
            }
            guard expression.isSingle else {
                throw .badPolicy("\(licence.prefix(80)) is not one SPDX licence: name each licence that is taken by itself")
            }
        }
        let parts = [policy.treasuryPoints, policy.curatorPoints, policy.contributorPoints]
        guard parts.allSatisfy({ (0...10_000).contains($0) }), parts.reduce(0, +) == 10_000 else {
            throw .badPolicy("treasury, curator and contributor points make 10000")
        }
        guard policy.contributorPoints >= leastForContributors else {
            throw .badPolicy("contributors get at least \(leastForContributors) of 10000 points")
        }
        if let price = policy.price, price.isNegative { throw .badPolicy("a price is not negative") }
        if let stake = policy.stake, !stake.isPositive { throw .badPolicy("a stake is more than nothing; leave it out to ask for none") }
        if policy.voting == "stake", policy.stake == nil { throw .badPolicy("voting by stake needs a stake, which says in what asset") }
        guard (0...1_000).contains(policy.minimumQuality) else { throw .badPolicy("minimum quality is 0 to 1000") }
        if policy.admission == "review" {
            guard panels.contains(policy.panel) else { throw .badPolicy("a panel has \(panels.lowerBound) to \(panels.upperBound) seats") }
            guard policy.quorum <= policy.panel, policy.quorum * 2 > policy.panel else {
                throw .badPolicy("a quorum is more than half of the panel and no more than all of it, or two verdicts could both have it")
            }
        }
        try check(policy.governance ?? .standard)
    }

    private static func check(_ terms: GovernanceTerms) throws(DatanetRefusal) {
        guard (1...longestVote).contains(terms.votingSeconds), (1...longestVote).contains(terms.reviewSeconds),
            (0...longestVote).contains(terms.appealSeconds), (0...longestTimelock).contains(terms.timelockSeconds)
        else {
            throw .badPolicy(
                "votes and reviews take 1 to \(longestVote) seconds, appeals 0 to \(longestVote), a time-lock 0 to \(longestTimelock)")
        }
        guard (0...10_000).contains(terms.quorumPoints), (0...10_000).contains(terms.penaltyPoints) else {
            throw .badPolicy("quorum and penalty points are 0 to 10000")
        }
    }
}
