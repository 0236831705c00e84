public import Events

/// What is done about a screened contribution.
public enum AdmissionRules {
    /// What a rule that admits was prepared with: the plan whose list of items lies in the evidence store already.
    public struct Prepared: Sendable {
        /// All items of the contribution as screening saw them.
        public let items: [ScreenedItem]
        /// What they come to.
        public let plan: AdmissionPlan
        /// The items that are in the Datanet by an earlier decision.
        public let already: Set<String>

        /// From its parts.
        public init(items: [ScreenedItem], plan: AdmissionPlan, already: Set<String> = []) {
            self.items = items
            self.plan = plan
            self.already = already
        }
    }

    /// Whether quality is judged by the policy's threshold when the contribution is settled; a panel judges otherwise.
    public static func judgesQuality(_ state: DatanetState, _ contribution: Contribution) -> Bool {
        state.datanets[contribution.datanet]?.policy.admission != "review"
    }

    /// Reacts to `contribution.screened`: admits by the Datanet's rules, or opens a review. Nothing when that has been done.
    public static func settle(_ state: DatanetState, _ id: String, _ prepared: Prepared, _ moment: Moment) throws -> [Decided] {
        let contribution = try state.contribution(id)
        guard contribution.status == .pending else { return [] }
        let judges = judgesQuality(state, contribution)
        let plan = AdmissionPlan(state, contribution, items: prepared.items, judgingQuality: judges)
        guard plan == prepared.plan else { throw DatanetRefusal.stale }
        if !judges, !plan.granted.isEmpty {
            return [try ReviewRules.open(state, contribution, round: 1, moment)]
        }
        return try plan.events(contribution)
    }

    /// Brings a contribution before a panel again that none could be found for, or that too few voted on.
    public static func reopen(_ state: DatanetState, _ id: String, _ moment: Moment) throws -> [Decided] {
        let contribution = try state.contribution(id)
        let datanet = try state.datanet(contribution.datanet)
        guard datanet.has(moment.actor, [.owner, .curator]) else {
            throw DatanetRefusal.notAllowed("owners and curators reopen reviews")
        }
        let reopened: Set<String> = [AdmissionPlan.Refusal.noPanel.rawValue, AdmissionPlan.Refusal.noQuorum.rawValue]
        guard case .refused(let reason) = contribution.status, reopened.contains(reason), !contribution.isAppealed else {
            throw DatanetRefusal(.conflict, "not-reopenable", "\(id.prefix(80)) is not without a verdict for lack of validators")
        }
        return [try ReviewRules.open(state, contribution, round: 1, moment)]
    }
}
