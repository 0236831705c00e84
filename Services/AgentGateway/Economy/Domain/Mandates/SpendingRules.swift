public import Decisions
internal import Crypto
internal import Events
public import Money

/// What is decided about single payments.
public enum SpendingRules {
    /// Most requests for a human's word that wait under one mandate.
    public static let maximumApprovals = 100

    /// Authorises a payment: from here on its amount counts against the mandate and those above it.
    /// - Parameter seconds: how long it runs when nothing is heard of it.
    public static func authorize(_ spending: Spending, under id: String, seconds: Int64) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let authorized = try authorization(
                state, spending, under: id, as: context.newID("au"), agent: context.actor, at: context.logTime, seconds: seconds)
            return [NewEvent(authorized, stream: try GrantRules.stream("mandate", authorized.root))]
        }
    }

    /// The authorisation of a payment, if every mandate from `id` upwards allows it.
    static func authorization(
        _ state: EconomyState, _ spending: Spending, under id: String, as authorization: String, agent: String, at now: Timestamp,
        seconds: Int64
    ) throws(EconomyError) -> MandateAuthorized {
        guard let mandate = state.mandates[id] else { throw .notFound("mandate \(id)") }
        guard mandate.agent == agent else { throw .forbidden("the mandate \(id) is \(mandate.agent)'s, not \(agent)'s") }
        let amount = spending.amount
        guard amount.asset == mandate.terms.budget.asset else {
            throw .invalid(field: "amount", reason: "must be in \(mandate.terms.budget.asset), as the mandate \(id)")
        }
        guard amount.isPositive else { throw .invalid(field: "amount", reason: "must be above zero") }
        var threshold: (mandate: String, above: Amount)?
        for above in state.chain(from: id) {
            try GrantRules.isLive(above, at: now)
            try allows(above, spending)
            try allowsNow(above, spending, at: now)
            if let limit = above.terms.approvalAbove, amount.units > limit.units, limit.units < threshold?.above.units ?? .max {
                threshold = (above.id, limit)
            }
        }
        let route = state.route(from: id)
        let window = state.window(of: route, at: now, mandate.terms.period)
        for place in route {
            let free = state.mandates[place]?.free(in: window) ?? 0
            guard amount.units <= free else {
                throw .exceeds(limit: "budget", mandate: place, wanted: amount, left: Amount(max(0, free), amount.asset))
            }
        }
        if let threshold { try isApproved(state, spending, id, threshold.above, now) }
        return MandateAuthorized(
            authorization: authorization, mandate: id, root: mandate.root, agent: agent, payer: mandate.payer, amount: amount,
            purpose: spending.purpose, payee: spending.payee, service: spending.service, model: spending.model, task: spending.task,
            approval: threshold == nil ? nil : spending.approval, at: now,
            expires: Timestamp(microseconds: now.microseconds + seconds * 1_000_000))
    }

    /// What a mandate says of how a payment is made and when, which a request for a human's word does not say yet.
    private static func allowsNow(_ mandate: Mandate, _ spending: Spending, at now: Timestamp) throws(EconomyError) {
        let terms = mandate.terms
        if let begin = terms.notBefore, now < begin { throw .notAllowed(mandate: mandate.id, what: "payments before \(begin)") }
        if let purposes = terms.purposes, !purposes.contains(spending.purpose) {
            throw .notAllowed(mandate: mandate.id, what: "payments for the purpose \(spending.purpose)")
        }
        if let tasks = terms.tasks, !tasks.contains(spending.task ?? "") {
            throw .notAllowed(
                mandate: mandate.id, what: spending.task.map { "paying the task \($0)" } ?? "payments for anything but its tasks")
        }
        guard let recurrence = terms.recurrence else { return }
        if mandate.payments(in: MandatePeriod.number(of: now, recurrence.every)) >= recurrence.most {
            let span = recurrence.every == "once" ? "in all" : "in a \(recurrence.every)"
            throw .notAllowed(mandate: mandate.id, what: "more than \(recurrence.most) payments \(span)")
        }
        if let total = recurrence.total, mandate.payments >= total {
            throw .notAllowed(mandate: mandate.id, what: "more than \(total) payments in all")
        }
    }

    private static func allows(_ mandate: Mandate, _ spending: Spending) throws(EconomyError) {
        let terms = mandate.terms
        if let most = terms.perPayment, spending.amount.units > most.units {
            throw .exceeds(limit: "cap of one payment", mandate: mandate.id, wanted: spending.amount, left: most)
        }
        if let least = terms.minimum, spending.amount.units < least.units {
            throw .notAllowed(mandate: mandate.id, what: "payments of less than \(least)")
        }
        if let payees = terms.payees, !payees.contains(spending.payee ?? "") {
            throw .notAllowed(mandate: mandate.id, what: spending.payee.map { "payments to \($0)" } ?? "payments to nobody in particular")
        }
        if let service = spending.service, let services = terms.services, !services.contains(service) {
            throw .notAllowed(mandate: mandate.id, what: "the service \(service)")
        }
        if let model = spending.model, let models = terms.models, !models.contains(model) {
            throw .notAllowed(mandate: mandate.id, what: "the model \(model)")
        }
        // A mandate for some services only is none for payments without a service, and likewise for models.
        if spending.service == nil, spending.model == nil, terms.services != nil || terms.models != nil {
            throw .notAllowed(mandate: mandate.id, what: "payments outside its services and models")
        }
    }

    private static func isApproved(
        _ state: EconomyState, _ spending: Spending, _ mandate: String, _ above: Amount, _ now: Timestamp
    ) throws(EconomyError) {
        guard let id = spending.approval, let approval = state.approvals[id], let granted = approval.granted else {
            throw .needsApproval(mandate: mandate, above: above)
        }
        let request = approval.request
        // What an answer costs is known when it has been given: until then its most is what is asked for.
        let fits = spending.purpose == "inference" ? spending.amount.units <= request.amount.units : spending.amount == request.amount
        guard fits, request.mandate == mandate, request.purpose == spending.purpose, request.payee == spending.payee,
            request.service == spending.service, request.model == spending.model, request.task == nil || request.task == spending.task
        else { throw .notAllowed(mandate: mandate, what: "this payment by the approval \(id), which is for another one") }
        guard now < granted.expires else { throw .notAllowed(mandate: mandate, what: "the approval \(id) any more: ask anew") }
    }

    // MARK: What comes of it

    /// The command that authorises an attempt at an answer: the answer says which attempt it is.
    public static func command(attempt: String) -> String { attempt + "/authorize" }

    /// The authorisation of an attempt at an answer.
    static func authorization(of answer: InferenceCompleted) -> String {
        EntityID.make("au", cause: .command(id: command(attempt: answer.attempt ?? answer.inference), digest: .zero))
    }

    /// Says what an authorised payment came to.
    public static func settle(_ id: String, _ amount: Amount) -> DecisionMaker<EconomyState>.Rule {
        { state, _ in
            guard let authorized = state.authorizations[id]?.data else {
                throw EconomyError.wrongState(
                    "the authorisation \(id) does not run: it was settled or set free, or its mandate was revoked")
            }
            guard amount.asset == authorized.amount.asset, !amount.isNegative, amount.units <= authorized.amount.units else {
                throw EconomyError.exceeds(limit: "authorisation", mandate: authorized.mandate, wanted: amount, left: authorized.amount)
            }
            return [
                NewEvent(
                    MandateSettled(authorization: id, mandate: authorized.mandate, root: authorized.root, amount: amount),
                    stream: try GrantRules.stream("mandate", authorized.root))
            ]
        }
    }

    /// Sets free what nothing came of; nothing happens when it does not run any more.
    public static func free(_ id: String, reason: String = "released") -> DecisionMaker<EconomyState>.Rule {
        { state, _ in
            guard let authorized = state.authorizations[id]?.data else { return [] }
            return [try freeing(authorized, reason)]
        }
    }

    /// Sets free what was authorised for less time than has gone by, a bounded number at once. Tasks and payments end by themselves.
    public static func expire() -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            try state.authorizations.values.filter { state.isForgotten($0.data, at: context.logTime) }.map(\.data)
                .sorted { $0.authorization < $1.authorization }.prefix(200).map { try freeing($0, "expired") }
        }
    }

    private static func freeing(_ data: MandateAuthorized, _ reason: String) throws -> NewEvent {
        NewEvent(
            MandateFreed(authorization: data.authorization, mandate: data.mandate, root: data.root, reason: reason),
            stream: try GrantRules.stream("mandate", data.root))
    }

    // MARK: A human's word

    /// An agent asks for a payment above its threshold.
    public static func request(_ spending: Spending, under id: String) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            guard let mandate = state.mandates[id] else { throw EconomyError.notFound("mandate \(id)") }
            guard mandate.agent == context.actor else { throw EconomyError.forbidden("the mandate \(id) is \(mandate.agent)'s") }
            try isForOne(spending, state, by: context.actor)
            for above in state.chain(from: id) {
                try GrantRules.isLive(above, at: context.logTime)
                try allows(above, spending)
            }
            // Those that were granted and have run out unused wait for nothing.
            let waiting = state.approvals.values.count { approval in
                approval.request.mandate == id && (approval.granted.map { context.logTime < $0.expires } ?? true)
            }
            guard waiting < maximumApprovals else {
                throw EconomyError.wrongState("\(maximumApprovals) requests wait under the mandate \(id)")
            }
            let requested = ApprovalRequested(
                approval: context.newID("ap"), mandate: id, root: mandate.root, agent: context.actor, amount: spending.amount,
                purpose: spending.purpose, task: spending.task, payee: spending.payee, service: spending.service, model: spending.model)
            return [NewEvent(requested, stream: try GrantRules.stream("mandate", mandate.root))]
        }
    }

    /// Throws unless a request says which one payment it is for: a human who says yes should know to what.
    private static func isForOne(_ spending: Spending, _ state: EconomyState, by agent: String) throws(EconomyError) {
        guard GrantRules.purposes.contains(spending.purpose) else {
            throw .invalid(field: "purpose", reason: "must be of \(GrantRules.purposes.joined(separator: ", "))")
        }
        guard spending.payee != nil else { throw .invalid(field: "payee", reason: "must be named") }
        switch (spending.purpose, spending.task) {
        case ("inference", nil):
            guard spending.model != nil else { throw .invalid(field: "model", reason: "must be named for an answer") }
        case ("task", nil):
            guard spending.service != nil else { throw .invalid(field: "task", reason: "or the service that is hired must be named") }
        case ("task", let id?):
            guard let data = state.tasks[id]?.data, data.client == agent else { throw .notFound("task \(id) of \(agent)") }
            guard data.amount == spending.amount, data.provider == spending.payee, data.service == spending.service else {
                throw .invalid(
                    field: "task", reason: "pays \(data.amount) to \(data.provider) for \(data.service ?? "no service"): name just that")
            }
        case (_, .some): throw .invalid(field: "task", reason: "is for the purpose task alone")
        default: return
        }
    }

    /// The human who granted the tree's first mandate says yes or no.
    public static func decide(_ id: String, granted: Bool, seconds: Int64) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            guard let approval = state.approvals[id] else { throw EconomyError.notFound("open request \(id)") }
            guard state.mandates[approval.request.root]?.grantor == context.actor else {
                throw EconomyError.forbidden("only who granted the first mandate of the tree decides this")
            }
            guard approval.granted == nil else { throw EconomyError.wrongState("the request \(id) was granted already") }
            return [
                NewEvent(
                    ApprovalDecided(
                        approval: id, root: approval.request.root, by: context.actor, granted: granted,
                        expires: Timestamp(microseconds: context.logTime.microseconds + seconds * 1_000_000)),
                    stream: try GrantRules.stream("mandate", approval.request.root))
            ]
        }
    }
}
