public import Crypto
public import Decisions
public import Events
public import Money

/// What is decided about signed payments. Signatures have been checked before, and are checked again by the audit.
public enum PaymentRules {
    /// How long a payment's authorisation under a mandate runs while its outcome is not known, in seconds.
    static let patience: Int64 = 30 * 86_400

    /// A payment to be taken up.
    public struct Wish: Sendable {
        /// What was signed.
        public var word: PaymentWord
        /// How money moves: `transfer`, `task` or `chain`.
        public var means: String
        /// What it takes.
        public var amount: Amount
        /// Who is paid here, for what a chain pays to this house.
        public var payee: String?
        /// What is bought.
        public var service: String?
        /// The model that answers, where one does.
        public var model: String?
        /// Commitment to the signature, which is not written down then.
        public var signature: Digest?
        /// Commitment to what is asked for.
        public var brief: Digest?
        /// Billing's hold on the payer's balance.
        public var hold: String?
        /// Commitment to what is delivered for it.
        public var delivery: Digest?
        /// The payer's own name for it.
        public var identifier: String?
        /// The mandate that pays, where the payer has several.
        public var mandate: String?
        /// A human's word for it, where the mandate wants one.
        public var approval: String?

        /// From its parts.
        public init(
            word: PaymentWord, means: String, amount: Amount, payee: String? = nil, service: String? = nil, model: String? = nil,
            signature: Digest? = nil, brief: Digest? = nil, hold: String? = nil, delivery: Digest? = nil, identifier: String? = nil,
            mandate: String? = nil, approval: String? = nil
        ) {
            self.word = word
            self.means = means
            self.amount = amount
            self.payee = payee
            self.service = service
            self.model = model
            self.signature = signature
            self.brief = brief
            self.hold = hold
            self.delivery = delivery
            self.identifier = identifier
            self.mandate = mandate
            self.approval = approval
        }
    }

    /// Takes a payment up: from here on its nonce is used, and its amount counts against the payer's mandates.
    public static func open(_ wish: Wish) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let word = wish.word
            guard state.payment(word) == nil else { throw PaymentError.used(scheme: word.scheme) }
            if let identifier = wish.identifier, state.payment(from: word.from, identifier: identifier) != nil {
                throw PaymentError.named(identifier)
            }
            try SignedWord(word).check(at: context.time)
            try check(wish)
            var opened = PaymentOpened(
                payment: context.newID("pm"), means: wish.means, word: wish.signature == nil ? word : word.unsigned,
                payer: state.wallets[word.from], payee: wish.payee, amount: wish.amount, service: wish.service, delivery: wish.delivery,
                signature: wish.signature, brief: wish.brief, hold: wish.hold, identifier: wish.identifier, at: context.logTime)
            let stream = try GrantRules.stream("payment", opened.payment)
            if wish.means == "chain" { return [NewEvent(opened, stream: stream)] }
            guard let payer = opened.payer else { throw PaymentError.unknownPayer(word.from) }
            guard let payee = state.payees[word.to] else { throw PaymentError.unknownPayee(word.to) }
            guard payee != payer else { throw PaymentError.unknownPayee("the payer itself") }
            opened.payee = payee
            opened.source = payer
            // A task's money is authorised when it is funded.
            guard wish.means == "transfer", state.parties[payer]?.owner != nil else { return [NewEvent(opened, stream: stream)] }
            let authorized = try authorize(wish, payer: payer, payee: payee, as: context.newID("au"), state, at: context.logTime)
            opened.source = authorized.payer
            opened.authorization = authorized.authorization
            return [
                NewEvent(opened, stream: stream), NewEvent(authorized, stream: try GrantRules.stream("mandate", authorized.root)),
            ]
        }
    }

    private static func check(_ wish: Wish) throws(PaymentError) {
        let word = wish.word
        guard wish.amount.isPositive, let signed = Int128(word.value) else {
            throw .malformed("value must be above zero and fit an account")
        }
        let fits = word.scheme == "exact" ? wish.amount.units == signed : wish.amount.units <= signed
        guard fits else { throw .amount(scheme: word.scheme, asked: String(wish.amount.units), signed: word.value) }
    }

    /// An agent spends by one of its mandates: the named one, or its only one that holds.
    private static func authorize(
        _ wish: Wish, payer: String, payee: String, as id: String, _ state: EconomyState, at now: Timestamp
    ) throws(PaymentError) -> MandateAuthorized {
        let live = (state.mandatesOfAgent[payer] ?? []).filter { mandate in state.chain(from: mandate).allSatisfy { $0.ended == nil } }
        guard let mandate = wish.mandate ?? (live.count == 1 ? live[0] : nil) else {
            throw .mandate(
                code: "mandate_refuses",
                live.isEmpty ? "\(payer) has no mandate to pay with" : "\(payer) has \(live.count) mandates: name one")
        }
        do throws(EconomyError) {
            return try SpendingRules.authorization(
                state,
                Spending(
                    wish.amount, purpose: "payment", payee: payee, service: wish.service, model: wish.model, approval: wish.approval),
                under: mandate, as: id, agent: payer, at: now, seconds: patience)
        } catch { throw PaymentError.refusal(error) ?? .mandate(code: "mandate_refuses", error.description) }
    }

    // MARK: What comes of it

    private static func find(_ state: EconomyState, _ id: String) throws -> Payment {
        guard let payment = state.payments[id] else { throw EconomyError.notFound("payment \(id)") }
        guard payment.status == .unknown else { throw EconomyError.wrongState("the payment \(id) is \(payment.status.rawValue)") }
        return payment
    }

    /// What it buys was made. From here on it is paid; one whose mandate was revoked meanwhile is not.
    public static func deliver(_ id: String, _ delivery: Digest, _ amount: Amount) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let payment = try find(state, id)
            guard payment.awaitsDelivery else { throw EconomyError.wrongState("the payment \(id) waits for no delivery") }
            let most = payment.data.amount
            guard amount.isPositive, amount.asset == most.asset,
                payment.data.word.scheme == "exact" ? amount == most : amount.units <= most.units
            else { throw EconomyError.invalid(field: "amount", reason: "is not what was signed for: \(most)") }
            if let mandate = state.stoppedPayments[id] { throw EconomyError.notLive(mandate: mandate, reason: "has ended") }
            return [
                NewEvent(
                    PaymentDelivered(payment: id, delivery: delivery, amount: amount), stream: try GrantRules.stream("payment", id))
            ]
        }
    }

    /// A transaction that carries it out was signed.
    public static func send(_ id: String, transaction: String) -> DecisionMaker<EconomyState>.Rule {
        { state, _ in
            guard try find(state, id).data.means == "chain" else { throw EconomyError.wrongState("the payment \(id) needs no chain") }
            return [NewEvent(PaymentSent(payment: id, transaction: transaction), stream: try GrantRules.stream("payment", id))]
        }
    }

    /// It was made.
    public static func settle(_ settled: PaymentSettled) -> DecisionMaker<EconomyState>.Rule {
        { state, _ in
            let payment = try find(state, settled.payment)
            guard !payment.awaitsDelivery else { throw EconomyError.wrongState("the payment \(settled.payment) has bought nothing yet") }
            guard settled.amount == payment.amount else {
                throw EconomyError.invalid(field: "amount", reason: "is not what it takes: \(payment.amount)")
            }
            var events = [NewEvent(settled, stream: try GrantRules.stream("payment", settled.payment))]
            // It counts for its mandate, whether that was revoked meanwhile or not.
            if let authorization = payment.data.authorization, let data = state.authorizations[authorization]?.data {
                let counted = MandateSettled(
                    authorization: authorization, mandate: data.mandate, root: data.root, amount: settled.amount)
                events.append(NewEvent(counted, stream: try GrantRules.stream("mandate", data.root)))
            }
            return events
        }
    }

    /// Why a payment came to nothing whose mandate ended before what it buys was there.
    public static let mandateEnded = "mandate_ended"

    /// Why a payment of a fixed price came to nothing whose answer broke off before its end.
    public static let answerCut = "answer_cut"

    /// What is taken for an answer; nil where it is not sold, since it broke off and its price is fixed.
    /// - Parameters:
    ///   - price: what was signed for, the price of the longest answer.
    ///   - scheme: of x402. `exact` takes all or nothing; `upto` the part of the longest answer that came, rounded up.
    ///   - tokens: how many came, and `most`, how many could have.
    ///   - isCut: whether it broke off.
    public static func price(
        of price: Amount, scheme: String, tokens: Int, most: Int, isCut: Bool
    ) -> Amount? {
        guard scheme == "upto" else { return isCut ? nil : price }
        let whole = Int128(max(1, most))
        let part = max(0, min(Int128(tokens), whole))
        // By parts, which no price overflows.
        let (times, rest) = price.units.quotientAndRemainder(dividingBy: whole)
        return Amount(max(1, times * part + (rest * part + whole - 1) / whole), price.asset)
    }

    /// Ends payments whose mandate ended before what they buy was there, a bounded number at once.
    public static func endStopped() -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            try state.stoppedPayments.keys.sorted().prefix(100).flatMap { try fail($0, reason: mandateEnded)(state, context) }
        }
    }

    /// It came to nothing; nothing happens when that is known already.
    public static func fail(_ id: String, reason: String) -> DecisionMaker<EconomyState>.Rule {
        { state, _ in
            if state.payments[id]?.status == .failed { return [] }
            let payment = try find(state, id)
            var events = [NewEvent(PaymentFailed(payment: id, reason: reason), stream: try GrantRules.stream("payment", id))]
            if let authorization = payment.data.authorization, let data = state.authorizations[authorization]?.data {
                let freed = MandateFreed(authorization: authorization, mandate: data.mandate, root: data.root, reason: "released")
                events.append(NewEvent(freed, stream: try GrantRules.stream("mandate", data.root)))
            }
            return events
        }
    }
}
