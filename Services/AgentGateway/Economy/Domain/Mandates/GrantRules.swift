public import Decisions
public import Events
internal import Money

/// What is decided about who may spend.
public enum GrantRules {
    /// Most mandates between a payment and the tree's first.
    public static let maximumDepth = 8
    /// Most mandates that hang on one.
    public static let maximumChildren = 2_000

    /// What payments are for.
    public static let purposes = ["inference", "task", "payment"]

    /// Most bytes of all ids in a mandate's lists: its event has to fit the log.
    public static let maximumListBytes = 32_000

    /// What a grantor asks for.
    public struct Wish: Sendable {
        /// Who shall spend.
        public var agent: String
        /// The mandate that it is carved from.
        public var parent: String?
        /// Whose money, for the first of a tree: the grantor's, or that of an agent of the grantor's.
        public var payer: String?
        /// The limits.
        public var terms: MandateTerms

        /// From its parts.
        public init(agent: String, parent: String? = nil, payer: String? = nil, terms: MandateTerms) {
            self.agent = agent
            self.parent = parent
            self.payer = payer
            self.terms = terms
        }
    }

    /// Lets an agent spend: the grantor's own money, or part of what the grantor may spend itself.
    public static func grant(_ wish: Wish) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            guard let party = state.parties[wish.agent] else { throw EconomyError.notFound("principal \(wish.agent)") }
            guard party.kind == "agent" else {
                throw EconomyError.invalid(field: "agent", reason: "must be an agent: \(wish.agent) is a \(party.kind)")
            }
            try check(wish.terms, at: context.logTime)
            let id = context.newID("md")
            let granted: MandateGranted
            if let parent = wish.parent {
                guard wish.payer == nil else { throw EconomyError.invalid(field: "payer", reason: "is the parent's") }
                let above = try mayDelegate(state, parent, context)
                try fits(state, wish, below: above, at: context.logTime)
                granted = MandateGranted(
                    mandate: id, root: above.root, parent: parent, grantor: context.actor, agent: wish.agent, payer: above.payer,
                    terms: wish.terms)
            } else {
                guard state.parties[context.actor]?.kind != "agent" else {
                    throw EconomyError.forbidden("an agent grants mandates below its own only: name the parent")
                }
                let payer = wish.payer ?? context.actor
                guard payer == context.actor || state.parties[payer]?.owner == context.actor else {
                    throw EconomyError.forbidden("\(payer) is neither \(context.actor) nor an agent of \(context.actor)'s")
                }
                guard !wish.terms.carved else { throw EconomyError.invalid(field: "terms.carved", reason: "is for mandates below another") }
                granted = MandateGranted(
                    mandate: id, root: id, grantor: context.actor, agent: wish.agent, payer: payer, terms: wish.terms)
            }
            return [NewEvent(granted, stream: try stream("mandate", granted.root))]
        }
    }

    private static func mayDelegate(_ state: EconomyState, _ id: String, _ context: DecisionContext) throws(EconomyError) -> Mandate {
        guard let mandate = state.mandates[id] else { throw .notFound("mandate \(id)") }
        let root = state.mandates[mandate.root]
        guard context.actor == mandate.agent || context.actor == root?.grantor else {
            throw .forbidden("only \(mandate.agent), who has the mandate \(id), and who granted the first of its tree delegate it")
        }
        guard mandate.depth + 1 < maximumDepth else { throw .wrongState("a tree of mandates has at most \(maximumDepth) levels") }
        guard mandate.children.count < maximumChildren else {
            throw .wrongState("at most \(maximumChildren) mandates hang on one: grant them below one another")
        }
        for above in state.chain(from: id) { try isLive(above, at: context.logTime) }
        return mandate
    }

    /// Throws unless a mandate is within the one above it.
    private static func fits(_ state: EconomyState, _ wish: Wish, below above: Mandate, at now: Timestamp) throws(EconomyError) {
        for mandate in state.chain(from: above.id) where mandate.agent == wish.agent {
            throw .invalid(field: "agent", reason: "\(wish.agent) has the mandate \(mandate.id) above this one: that would be a cycle")
        }
        let (terms, limit) = (wish.terms, above.terms)
        func exceeds(_ field: String, _ reason: String) -> EconomyError {
            .invalid(field: "terms.\(field)", reason: "\(reason) of the mandate above it, \(above.id)")
        }
        guard terms.budget.asset == limit.budget.asset else { throw exceeds("budget", "must be in \(limit.budget.asset), the asset") }
        guard terms.period == limit.period else { throw exceeds("period", "must be \(limit.period), the period") }
        guard terms.budget.units <= limit.budget.units else { throw exceeds("budget", "is more than \(limit.budget), the budget") }
        if let most = limit.perPayment, (terms.perPayment ?? terms.budget).units > most.units {
            throw exceeds("per_payment", "must be at most \(most), that")
        }
        if let least = limit.minimum, let own = terms.minimum, own.units < least.units {
            throw exceeds("minimum", "must be at least \(least), that")
        }
        if let begin = limit.notBefore, let own = terms.notBefore, own < begin {
            throw exceeds("not_before", "is before \(begin), the beginning")
        }
        guard terms.expires <= limit.expires else { throw exceeds("expires", "is after \(limit.expires), the expiry") }
        let lists = [
            ("payees", terms.payees, limit.payees), ("services", terms.services, limit.services), ("models", terms.models, limit.models),
            ("purposes", terms.purposes, limit.purposes), ("tasks", terms.tasks, limit.tasks),
        ]
        for (name, own, allowed) in lists {
            guard let allowed else { continue }
            let beyond = Set(own ?? []).subtracting(allowed).sorted()
            guard beyond.isEmpty else { throw exceeds(name, "has \(beyond.joined(separator: ", ")), which is not among those") }
        }
        guard terms.carved else { return }
        let route = state.route(from: above.id)
        let window = state.window(of: route, at: now, limit.period)
        for place in route {
            guard let mandate = state.mandates[place], terms.budget.units <= mandate.free(in: window) else {
                let free = Amount(max(0, state.mandates[place]?.free(in: window) ?? 0), limit.budget.asset)
                throw .exceeds(limit: "budget", mandate: place, wanted: terms.budget, left: free)
            }
        }
    }

    /// Throws unless terms are terms.
    static func check(_ terms: MandateTerms, at now: Timestamp) throws(EconomyError) {
        func wrong(_ field: String, _ reason: String) -> EconomyError { .invalid(field: "terms.\(field)", reason: reason) }
        guard terms.budget.isPositive, terms.budget.units <= Int128(Int64.max) else {
            throw wrong("budget", "must be above zero and below 2^63")
        }
        guard MandatePeriod.all.contains(terms.period) else { throw wrong("period", "must be once, hour, day, week or month") }
        for (name, amount) in [("per_payment", terms.perPayment), ("minimum", terms.minimum), ("approval_above", terms.approvalAbove)] {
            guard let amount else { continue }
            guard amount.asset == terms.budget.asset else { throw wrong(name, "must be in \(terms.budget.asset), as the budget") }
            guard !amount.isNegative else { throw wrong(name, "must not be below zero") }
        }
        if let least = terms.minimum, least.units > min((terms.perPayment ?? terms.budget).units, terms.budget.units) {
            throw wrong("minimum", "must be at most what one payment may be")
        }
        if let unknown = terms.purposes?.first(where: { !purposes.contains($0) }) {
            throw wrong("purposes", "must be of \(purposes.joined(separator: ", ")), not \(unknown)")
        }
        if let begin = terms.notBefore, begin >= terms.expires { throw wrong("not_before", "must be before expires") }
        let named = [terms.payees, terms.services, terms.models, terms.tasks].compactMap { $0 }.joined().reduce(0) { $0 + $1.utf8.count }
        guard named <= maximumListBytes else {
            throw wrong("payees", "services, models and tasks must have at most \(maximumListBytes) bytes together, not \(named)")
        }
        if let recurrence = terms.recurrence {
            guard MandatePeriod.intervals.contains(recurrence.every) else {
                throw wrong("recurrence.every", "must be once, hour, day, week, fortnight, month, quarter or year")
            }
            guard recurrence.most >= 1 else { throw wrong("recurrence.most", "must be at least 1") }
            if let total = recurrence.total, total < 1 { throw wrong("recurrence.total", "must be at least 1") }
        }
        guard terms.expires > now else { throw wrong("expires", "must lie after now, \(now)") }
    }

    static func isLive(_ mandate: Mandate, at now: Timestamp) throws(EconomyError) {
        if let ended = mandate.ended { throw .notLive(mandate: mandate.id, reason: ended == "expired" ? "has run out" : "was revoked") }
        guard now < mandate.terms.expires else { throw .notLive(mandate: mandate.id, reason: "ran out at \(mandate.terms.expires)") }
    }

    // MARK: Ends

    /// Ends a mandate and all below it at once. Tasks that it pays and that are not delivered yet take no more work from then on, and are
    /// ended by ``TaskRules/endStopped()``.
    public static func revoke(_ id: String) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            guard let mandate = state.mandates[id] else { throw EconomyError.notFound("mandate \(id)") }
            let grantors = Set(state.chain(from: id).map(\.grantor))
            guard grantors.contains(context.actor) else {
                throw EconomyError.forbidden("only who granted the mandate \(id), or one above it, revokes it")
            }
            guard mandate.ended == nil else { return [] }
            return [try ending(mandate, reason: "revoked")]
        }
    }

    /// Ends mandates whose time is over, a bounded number at once.
    public static func expire(at now: Timestamp) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            var events: [NewEvent] = []
            for id in state.mandates.keys.sorted() {
                guard let mandate = state.mandates[id], mandate.ended == nil, mandate.terms.expires <= min(now, context.logTime) else {
                    continue
                }
                // What ends with a mandate above it needs no word of its own.
                if let parent = mandate.parent, let above = state.mandates[parent], above.ended == nil,
                    above.terms.expires <= mandate.terms.expires
                {
                    continue
                }
                events.append(try ending(mandate, reason: "expired"))
                if events.count > 100 { break }
            }
            return events
        }
    }

    static func ending(_ mandate: Mandate, reason: String) throws -> NewEvent {
        NewEvent(
            MandateRevoked(mandate: mandate.id, root: mandate.root, reason: reason), stream: try stream("mandate", mandate.root))
    }

    /// The stream of something with an id.
    public static func stream(_ kind: String, _ id: String) throws(EconomyError) -> StreamName {
        guard let stream = StreamName(kind: kind, id: id) else { throw .invalid(field: "id", reason: "\(id) can't be a name") }
        return stream
    }
}
