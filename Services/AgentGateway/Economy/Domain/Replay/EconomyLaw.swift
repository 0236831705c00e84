public import Decisions
public import Events
internal import JSON
internal import Money
public import Replay

/// Decides again what agents were allowed to spend, what was offered, and what work was paid.
public struct EconomyLaw: ReplayLaw {
    /// The gateway's.
    public static let service = Service.agentGateway
    /// What the economy's rules decide.
    public static let nouns: Set<String> = ["mandate", "service", "task", "wallet", "payment"]

    /// Answers under a mandate that it has not counted yet.
    var uncounted: [String: (answer: InferenceCompleted, position: UInt64)] = [:]

    /// Payments by the answers that they buy, and the other way round, while it is not known what comes of them.
    var paymentsOfAnswers: [String: String] = [:]
    var answersOfPayments: [String: String] = [:]
    /// Those of them whose answers broke off.
    var brokenOff: Set<String> = []

    /// Knows nothing yet.
    public init() {}

    /// Nothing yet.
    public func makeState() -> EconomyState { EconomyState() }

    /// What the rules make of the same.
    public func judge(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        // What was accepted stands last, after what is due or over with it.
        if let last = append.facts.last, last.type == TaskCompleted.type || last.type == TaskAccepted.type {
            return try accepted(try last.data.object(), state, moment)
        }
        switch append.first.type {
        case MandateRevoked.type: return try ended(append, state, moment)
        case MandateGranted.type:
            let data = try append.data(MandateGranted.self)
            let payer = data.parent == nil ? data.payer : nil
            return Verdict(
                try GrantRules.grant(.init(agent: data.agent, parent: data.parent, payer: payer, terms: data.terms))(state, moment))
        case MandateAuthorized.type: return try authorized(append, state, moment)
        case MandateSettled.type: return try counted(append, state, moment)
        case MandateFreed.type: return try freed(append, state, moment)
        case ApprovalRequested.type:
            let data = try append.data(ApprovalRequested.self)
            let spending = Spending(
                data.amount, purpose: data.purpose ?? "", payee: data.payee, service: data.service, model: data.model, task: data.task)
            return Verdict(try SpendingRules.request(spending, under: data.mandate)(state, moment))
        case ApprovalDecided.type:
            let data = try append.data(ApprovalDecided.self)
            // How long it holds is the human's to say.
            let events = try SpendingRules.decide(data.approval, granted: data.granted, seconds: 1)(state, moment)
            var expected = try ApprovalDecided((events.first?.data ?? .null).object())
            expected.expires = data.expires
            return Verdict([NewEvent(expected, stream: append.first.stream)])
        default: return try worked(append, state, moment)
        }
    }

    private static let signatures = "signatures of deliveries and acceptances"

    // MARK: Mandates

    /// A payment, by the log time that it says it was decided at: the service knew no later one.
    private func authorized(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        let data = try append.data(MandateAuthorized.self)
        guard data.at >= moment.time, data.at <= moment.logTime else {
            throw Unlawful("/at is \(data.at), between \(moment.time) and \(moment.logTime) it must lie")
        }
        let then = DecisionContext(time: moment.time, logTime: data.at, cause: moment.cause, actor: moment.actor)
        let spending = Spending(
            data.amount, purpose: data.purpose, payee: data.payee, service: data.service, model: data.model, task: data.task,
            approval: data.approval)
        let seconds = (data.expires.microseconds - data.at.microseconds) / 1_000_000
        return Verdict(
            try SpendingRules.authorize(spending, under: data.mandate, seconds: seconds)(state, then),
            checked: ["payments within their mandates": 1])
    }

    private func freed(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        var expected: [NewEvent] = []
        for fact in append.facts {
            let data = try MandateFreed(fact.data.object())
            if data.reason == "expired" {
                guard let running = state.authorizations[data.authorization]?.data, state.isForgotten(running, at: moment.logTime) else {
                    throw Unlawful("the authorisation \(data.authorization) has not run out", in: expected.count)
                }
            }
            expected += try SpendingRules.free(data.authorization, reason: data.reason)(state, moment)
        }
        return Verdict(expected)
    }

    private func ended(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        let data = try append.data(MandateRevoked.self)
        if data.reason == "revoked" { return Verdict(try GrantRules.revoke(data.mandate)(state, moment)) }
        var expected: [NewEvent] = []
        for fact in append.facts {
            let data = try MandateRevoked(fact.data.object())
            guard let mandate = state.mandates[data.mandate], mandate.ended == nil, mandate.terms.expires <= moment.logTime else {
                throw Unlawful("the mandate \(data.mandate) has not run out", in: expected.count)
            }
            expected.append(try GrantRules.ending(mandate, reason: "expired"))
        }
        return Verdict(expected)
    }

    // MARK: Services and tasks

    private func accepted(_ data: JSONFields, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        let signature = try data.optionalObject("signature").map { try TaskSignature($0) }
        return Verdict(
            try TaskRules.complete(data.id("task"), signature: signature)(state, moment),
            checked: ["tasks' payouts": 1].merging(signature == nil ? [:] : [Self.signatures: 1]) { $1 })
    }

    private func rejected(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        let all = try append.facts.map { try TaskRejected($0.data.object()) }
        // Those below it end before the one that was meant.
        guard let last = all.last else { return .unknown }
        guard last.reason == "mandate-revoked" else { return Verdict(try TaskRules.reject(last.task)(state, moment)) }
        var expected: [NewEvent] = []
        for data in all where data.reason == "mandate-revoked" {
            guard let task = state.tasks[data.task], state.stoppedTasks.contains(data.task) else {
                throw Unlawful("no revoked mandate has stopped the task \(data.task)", in: expected.count)
            }
            expected += try TaskRules.rejecting(state, task, by: moment.actor, reason: data.reason)
        }
        return Verdict(expected)
    }

    private func worked(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        switch append.first.type {
        case ServiceListed.type:
            let data = try append.data(ServiceListed.self)
            let rule =
                data.version == 1
                ? ServiceRules.list(page: data.page, price: data.price, seconds: data.seconds)
                : ServiceRules.change(data.service, page: data.page, price: data.price, seconds: data.seconds)
            return Verdict(try rule(state, moment))
        case ServiceWithdrawn.type: return Verdict(try ServiceRules.withdraw(append.data(ServiceWithdrawn.self).service)(state, moment))
        case TaskOpened.type:
            let data = try append.data(TaskOpened.self)
            let wish = TaskRules.Wish(
                provider: data.provider, evaluator: data.evaluator, parent: data.parent, service: data.service, brief: data.brief,
                amount: data.amount, milestones: data.milestones.map(\.amount), split: data.split, deadline: data.deadline)
            return Verdict(
                try TaskRules.open(wish)(state, moment),
                gaps: [ReplayGap("briefs of tasks", why: "they are sealed under their clients' keys")])
        case TaskFunded.type:
            let data = try append.data(TaskFunded.self)
            if let authorized = data.authorization.flatMap({ state.authorizations[$0]?.data }), authorized.amount != data.amount {
                throw Unlawful("/amount is \(data.amount), and \(authorized.amount) of the mandate was set aside for it")
            }
            if let hold = data.hold, hold != TaskRules.hold(of: moment.cause) {
                throw Unlawful("/hold is \(hold), which is not the one that is asked for to fund the task")
            }
            guard let hold = data.hold else { return Verdict(try TaskRules.fundFromAbove(data.task, data.amount)(state, moment)) }
            return Verdict(
                try TaskRules.fund(data.task, data.amount, payer: data.payer, hold: hold, authorization: data.authorization)(state, moment))
        case TaskSubmitted.type:
            let data = try append.data(TaskSubmitted.self)
            return Verdict(
                try TaskRules.submit(data.task, data.artefacts, signature: data.signature)(state, moment),
                checked: data.signature == nil ? [:] : [Self.signatures: 1])
        case TaskRejected.type: return try rejected(append, state, moment)
        case TaskExpired.type: return try expired(append, state, moment)
        case WalletLinked.type:
            let data = try append.data(WalletLinked.self)
            return Verdict(
                try WalletRules.link(data.address, signature: data.signature)(state, moment), checked: ["signatures of addresses": 1])
        case WalletUnlinked.type: return Verdict(try WalletRules.unlink(append.data(WalletUnlinked.self).address)(state, moment))
        case PaymentOpened.type: return try opened(append, state, moment)
        case PaymentDelivered.type: return try delivered(append, state, moment)
        case PaymentSent.type:
            let data = try append.data(PaymentSent.self)
            return Verdict(try PaymentRules.send(data.payment, transaction: data.transaction)(state, moment))
        case PaymentSettled.type: return try settled(append, state, moment)
        case PaymentFailed.type: return try failed(append, state, moment)
        default: return .unknown
        }
    }

    private func expired(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        var expected: [NewEvent] = []
        for fact in append.facts {
            let id = try TaskExpired(fact.data.object()).task
            guard let task = state.tasks[id], TaskRules.isDue(task, at: moment.logTime) else {
                throw Unlawful("the task \(id) is not due", in: expected.count)
            }
            expected.append(try TaskRules.expiry(of: task))
        }
        return Verdict(expected)
    }
}
