internal import Decisions
public import Events
internal import JSON
public import Replay

/// What mandates count for answers: by each answer's own event, which stands before it in the same decision.
extension EconomyLaw {
    /// Keeps the answers that were given under a mandate until it has counted them, and those that payments buy.
    public mutating func hear(_ fact: ReplayFact) {
        switch fact.fact.type {
        case InferenceCompleted.type:
            guard let answer = try? InferenceCompleted(fact.fact.data.object()) else { return }
            note(answer)
            guard answer.mandate != nil else { return }
            uncounted[answer.inference] = (answer, fact.position)
        case MandateSettled.type: uncounted[fact.fact.cause.id] = nil
        case PaymentOpened.type: if let opened = try? PaymentOpened(fact.fact.data.object()) { note(opened) }
        case PaymentDelivered.type: if let id = try? PaymentDelivered(fact.fact.data.object()).payment { forget(payment: id) }
        case PaymentFailed.type: if let id = try? PaymentFailed(fact.fact.data.object()).payment { forget(payment: id) }
        default: return
        }
    }

    func counted(_ append: ReplayedAppend, _ state: EconomyState, _ moment: DecisionContext) throws -> Verdict {
        let data = try append.data(MandateSettled.self)
        guard let answer = uncounted[append.first.cause.id]?.answer else { throw Unlawful("counts what was not answered by this command") }
        let expected = SpendingRules.authorization(of: answer)
        guard data.authorization == expected else {
            throw Unlawful("/authorization is \(data.authorization), and that of the answer \(answer.inference) is \(expected)")
        }
        if let authorized = state.authorizations[expected]?.data {
            let pairs = [
                ("mandate", answer.mandate, authorized.mandate), ("payer", answer.payer, authorized.payer),
                ("actor", answer.actor, authorized.agent), ("model", answer.model, authorized.model ?? ""),
            ]
            for (name, said, allowed) in pairs where said != allowed {
                throw Unlawful("the answer \(answer.inference) has the \(name) \(said ?? "none"), and \(allowed) was authorised")
            }
        }
        return Verdict(try SpendingRules.settle(expected, answer.fee)(state, moment), checked: ["mandates' spending beside answers": 1])
    }

    /// Answers whose mandates never counted them.
    public func finish(_ state: EconomyState, logTime: Timestamp) -> Ending {
        var ending = Ending()
        ending.missing = uncounted.values.sorted { $0.position < $1.position }.map { answer, position in
            (position, InferenceCompleted.type, "was given under the mandate \(answer.mandate ?? ""), which never counted it")
        }
        return ending
    }
}
