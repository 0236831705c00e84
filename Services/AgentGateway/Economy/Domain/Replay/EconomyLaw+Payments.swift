internal import Decisions
internal import Events
internal import JSON
internal import Money
internal import Replay

/// Payments: every signature is verified again, every transfer compared with billing's.
extension EconomyLaw {
    func opened(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        let data = try append.data(PaymentOpened.self)
        guard data.at >= moment.time, data.at <= moment.logTime else {
            throw Unlawful("/at is \(data.at), between \(moment.time) and \(moment.logTime) it must lie")
        }
        let isOpen = data.word.signature != nil
        if isOpen, try !SignedWord(data.word).isSigned { throw Unlawful("/word/signature is not that of \(data.word.from)") }
        let authorized = try append.find(MandateAuthorized.self)
        let then = DecisionContext(time: moment.time, logTime: data.at, cause: moment.cause, actor: moment.actor)
        let wish = PaymentRules.Wish(
            word: data.word, means: data.means, amount: data.amount, payee: data.means == "chain" ? data.payee : nil, service: data.service,
            model: authorized?.model, signature: data.signature, brief: data.brief, hold: data.hold, delivery: data.delivery,
            identifier: data.identifier, mandate: authorized?.mandate, approval: authorized?.approval)
        return Verdict(
            try PaymentRules.open(wish)(state, then), checked: isOpen ? ["signatures of payments": 1] : [:],
            gaps: isOpen
                ? [] : [ReplayGap("signatures of payments", why: "they are sealed, since they open what was bought")])
    }

    func failed(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        let data = try append.data(PaymentFailed.self)
        if data.reason == PaymentRules.answerCut, !brokenOff.contains(data.payment) {
            throw Unlawful("the answer for the payment \(data.payment) did not break off")
        }
        guard data.reason == PaymentRules.mandateEnded, state.stoppedPayments[data.payment] != nil else {
            return Verdict(try PaymentRules.fail(data.payment, reason: data.reason)(state, moment))
        }
        var expected: [NewEvent] = []
        for fact in append.facts {
            let id = try PaymentFailed(fact.data.object()).payment
            guard state.stoppedPayments[id] != nil else {
                throw Unlawful("no mandate that ended has stopped the payment \(id)", in: expected.count)
            }
            expected += try PaymentRules.fail(id, reason: PaymentRules.mandateEnded)(state, moment)
        }
        return Verdict(expected)
    }

    /// An answer that broke off is not sold at a fixed price. That is seen here, since what a payment buys is asked for by the payment's name.
    func delivered(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        let data = try append.data(PaymentDelivered.self)
        if brokenOff.contains(data.payment), state.payments[data.payment]?.data.word.scheme == "exact" {
            throw Unlawful("the answer for the payment \(data.payment) broke off, and is not sold at the whole price")
        }
        return Verdict(try PaymentRules.deliver(data.payment, data.delivery, data.amount)(state, moment))
    }

    /// Keeps which payments buy which answers, and which of these broke off, until it is known what came of the payment.
    mutating func note(_ opened: PaymentOpened) {
        guard let payee = opened.payee, opened.brief != nil, opened.means != "task" else { return }
        let answer = NamedQuestion.inference(for: opened.payment, payee: payee)
        paymentsOfAnswers[answer] = opened.payment
        answersOfPayments[opened.payment] = answer
    }

    mutating func note(_ answer: InferenceCompleted) {
        guard answer.cut == true, let payment = paymentsOfAnswers[answer.inference] else { return }
        brokenOff.insert(payment)
    }

    mutating func forget(payment: String) {
        if let answer = answersOfPayments.removeValue(forKey: payment) { paymentsOfAnswers[answer] = nil }
        brokenOff.remove(payment)
    }

    func settled(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        let data = try append.data(PaymentSettled.self)
        guard let payment = state.payments[data.payment]?.data else { throw Unlawful("/payment \(data.payment) was never opened") }
        switch payment.means {
        case "transfer":
            guard let transfer = state.paymentTransfers[data.payment], transfer.id == data.transaction else {
                throw Unlawful("/transaction \(data.transaction) is no transfer of billing's for this payment")
            }
            guard transfer.amount == data.amount, transfer.from.text == "payer:" + (payment.source ?? ""),
                transfer.to.text == "payer:" + (payment.payee ?? "")
            else { throw Unlawful("is not what billing moved: \(transfer.amount) from \(transfer.from) to \(transfer.to)") }
            return Verdict(try PaymentRules.settle(data)(state, moment), checked: ["payments beside billing's transfers": 1])
        case "task":
            guard let task = state.tasks[data.transaction], task.data.amount == data.amount, task.data.client == payment.payer else {
                throw Unlawful("/transaction \(data.transaction) is no task of the payer's at this price")
            }
            return Verdict(try PaymentRules.settle(data)(state, moment), checked: ["payments beside their tasks": 1])
        default:
            return Verdict(
                try PaymentRules.settle(data)(state, moment),
                gaps: [ReplayGap("payments on other chains", why: "their transactions are on those chains, under the hash given")])
        }
    }
}
