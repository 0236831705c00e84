internal import AgentEconomyDomain
internal import Crypto
public import Decisions
public import Events
internal import HTTP
public import Money
public import Web

/// Where an agent's spending is allowed, or not, and counted. The decision is an event before any money is held; what comes of it is one too.
public struct SpendingDesk: Sendable {
    let maker: DecisionMaker<EconomyState>

    /// A mandate that a caller spends under.
    public struct Purse: Sendable, Hashable {
        /// The mandate.
        public let mandate: String
        /// Whose money.
        public let payer: String
        /// The human's word for a payment above the threshold.
        public let approval: String?
    }

    /// A payment that may be made.
    public struct Grant: Sendable, Hashable {
        /// The authorisation: billing's hold carries it.
        public let authorization: String
        /// Its mandate.
        public let mandate: String
    }

    /// The header that names the mandate to spend under.
    public static let mandateHeader = "OpenLedger-Mandate"
    /// The header that names a human's word for the payment.
    public static let approvalHeader = "OpenLedger-Approval"
    /// The problems that a payment under a mandate may answer with.
    public static let problems: [ProblemType] = EconomyProblems.ofSpending

    /// The mandate that a caller spends under: the named one, else its only one that holds.
    /// - Returns: nil for who was never given one, and spends otherwise.
    /// - Throws: `Problem` for an agent with mandates of which none, or not just one, can be meant.
    public func purse(of caller: String, mandate: String?, approval: String?) async throws -> Purse? {
        let found = try await maker.query { state -> (mandates: [Mandate], hadAny: Bool) in
            let given = state.mandatesOfAgent[caller] ?? []
            if let mandate { return ([state.mandates[mandate]].compactMap { $0 }, true) }
            let live = given.compactMap { state.mandates[$0] }.filter { mandate in
                state.chain(from: mandate.id).allSatisfy { $0.ended == nil }
            }
            return (live, !given.isEmpty)
        }
        guard found.hadAny else { return nil }
        if let mandate {
            guard let named = found.mandates.first else { throw EconomyError.notFound("mandate \(mandate)") }
            guard named.agent == caller else { throw EconomyError.forbidden("the mandate \(mandate) is \(named.agent)'s") }
            return Purse(mandate: named.id, payer: named.payer, approval: approval)
        }
        guard let only = found.mandates.first else {
            throw EconomyError.notLive(mandate: "of \(caller)", reason: "has ended")
        }
        guard found.mandates.count == 1 else {
            throw EconomyError.forbidden(
                "\(caller) has \(found.mandates.count) mandates: name the one that pays by the header \(Self.mandateHeader)")
        }
        return Purse(mandate: only.id, payer: only.payer, approval: approval)
    }

    /// Authorises an answer of a model.
    /// - Parameters:
    ///   - id: the inference, whose first authorisation counts for ever.
    ///   - seconds: after which log time it is free again when nothing is heard of it.
    public func authorize(
        inference id: String, _ amount: Amount, model: String, payee: String, purse: Purse, caller: String, correlation: String,
        seconds: Int64
    ) async throws -> Grant {
        let spending = Spending(amount, purpose: "inference", payee: payee, model: model, approval: purse.approval)
        return try await authorize(
            spending, purse: purse, cause: .command(id: SpendingRules.command(attempt: id), digest: SHA256.hash(utf8: id + "\nauthorize")),
            caller: caller, correlation: correlation, seconds: seconds)
    }

    func authorize(
        _ spending: Spending, purse: Purse, cause: Cause, caller: String, correlation: String, seconds: Int64
    ) async throws -> Grant {
        let outcome = try await maker.decide(
            cause, actor: caller, correlation: correlation,
            SpendingRules.authorize(spending, under: purse.mandate, seconds: seconds))
        let authorized = try outcome.first(MandateAuthorized.self)
        return Grant(authorization: authorized.authorization, mandate: authorized.mandate)
    }

    /// Puts an answer on the log with what it comes to under its mandate, both or neither: so what a mandate counts is what was answered. One
    /// whose mandate was revoked meanwhile is refused.
    /// - Parameters:
    ///   - cause: the answer's own, which is decided once.
    ///   - check: throws unless its texts are kept no longer than the payer's choice, in days, allows at a moment.
    public func record(
        _ answer: InferenceCompleted, under grant: Grant, cause: Cause, correlation: String,
        check: @escaping @Sendable (Int?, Timestamp) throws -> Void
    ) async throws -> Outcome {
        try await maker.decide(cause, actor: answer.actor, correlation: correlation) { state, context in
            try check(state.parties[answer.payer]?.retentionDays, context.time)
            let given = NewEvent(answer, stream: try GrantRules.stream("inference", answer.inference))
            return [given] + (try SpendingRules.settle(grant.authorization, answer.fee)(state, context))
        }
    }

    /// Sets free what nothing came of.
    public func free(_ grant: Grant, caller: String, correlation: String) async throws {
        _ = try await maker.decide(
            Self.cause(grant.authorization, "free"), actor: caller, correlation: correlation, SpendingRules.free(grant.authorization))
    }

    /// One step of something that has an id.
    static func cause(_ id: String, _ step: String) -> Cause {
        .command(id: id + "/" + step, digest: SHA256.hash(utf8: id + "\n" + step))
    }
}
