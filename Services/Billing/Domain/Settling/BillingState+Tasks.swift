public import Events
internal import Money

/// Tasks of agents: what a stage pays is taken from the task's hold and shared out as its event says, with the holdback, refunds and
/// disputes of every settlement. What is a Datanet's is divided as it divides what an answer gives it. The platform takes no part of it.
extension BillingState {
    /// Pays a stage that was accepted, and sets what is left of the hold free after the last one.
    public func settle(
        _ task: TaskCompleted, event: EventID, position: UInt64, time: Timestamp, now: Timestamp,
        edition: Int = BillingState.presentEdition
    ) throws(BillingError) -> Decision {
        guard task.amount.isPositive else {
            guard task.frees, let hold = task.hold else { return .nothing }
            return try release(hold: hold, of: nil)
        }
        let reference = Self.reference(task)
        if isSettled(reference) { return .nothing }
        var decision = try take(task, reference, event: event, now: now)
        let (payer, fee) = try taken(decision, task)
        let list = try decision.list(try postings(of: task, fee: fee, at: position, edition: edition))
        decision.events.append(
            .settlementPosted(
                SettlementPosted(
                    id: event.text, kind: "task", reference: reference, payer: payer, fee: fee, position: Int(position),
                    releaseAt: time.adding(seconds: rules.holdbackSeconds), postings: list)))
        return decision
    }

    /// The name under which a stage is paid.
    static func reference(_ task: TaskCompleted) -> String { "\(task.task)#\(task.milestone)" }

    /// From the hold; where that is gone, from what the payer has.
    private func take(_ task: TaskCompleted, _ reference: String, event: EventID, now: Timestamp) throws(BillingError) -> Decision {
        let account = try AccountID(.payer, task.payer)
        // What somebody else has set aside pays for nobody.
        if let id = task.hold, let hold = holds[id], hold.account == account, now < hold.expires, hold.left.asset == task.amount.asset {
            let amount = Amount(min(task.amount.units, hold.left.units), task.amount.asset)
            return try capture(id, hold, amount, reference: reference, final: task.frees, usage: nil)
        }
        let units = max(0, min(task.amount.units, journal.available(account, task.amount.asset).units))
        let amount = Amount(units, task.amount.asset)
        return Decision(
            .journalPosted(
                JournalPosted(
                    id: event.text, reason: amount == task.amount ? "task" : "task-in-part", reference: reference,
                    postings: .entries(Self.move(amount, from: account, to: .fees)))))
    }

    private func taken(_ decision: Decision, _ task: TaskCompleted) throws(BillingError) -> (payer: AccountID, fee: Amount) {
        switch decision.events.first {
        case .holdCaptured(let data):
            guard let hold = holds[data.id] else { throw .notFound("open hold \(data.id)") }
            return (hold.account, data.amount)
        case .journalPosted(let data):
            var fee = Amount.zero(task.amount.asset)
            if case .entries(let postings) = data.postings, let credit = postings.first(where: { $0.account == .fees }) {
                fee = credit.amount
            }
            return (try AccountID(.payer, task.payer), fee)
        default: return (try AccountID(.payer, task.payer), .zero(task.amount.asset))
        }
    }

    /// The entries: the pay as its event and the Datanets share it out, in proportion where less could be had.
    private func postings(of task: TaskCompleted, fee: Amount, at position: UInt64, edition: Int) throws(BillingError) -> [Posting] {
        var datanets: [String: TaskSplit.Source]?
        if edition > 2 {
            var sources: [String: TaskSplit.Source] = [:]
            for id in TaskSplit.datanets(of: task) {
                guard let known = known.datanets[id], let terms = known.terms(at: position) else { throw .notFound("Datanet \(id)") }
                var shares: [AttributionShare] = []
                if let list = known.shares(at: position) { shares = try read(list) }
                sources[id] = TaskSplit.Source(terms: terms, shares: shares)
            }
            datanets = sources
        }
        return try Settlement.postings(fee: fee, parts: try TaskSplit.tree(of: task, datanets).divide(fee))
    }

    /// Throws unless a settlement on the log pays what its task's event says.
    func check(_ data: SettlementPosted, pays task: TaskCompleted, at position: UInt64) throws(BillingError) {
        guard data.kind == "task", data.reference == Self.reference(task) else {
            throw .invalid(field: "reference", reason: "is not what was settled")
        }
        guard data.fee.asset == task.amount.asset, data.fee.units <= task.amount.units else {
            throw .invalid(field: "fee", reason: "is more than the task pays")
        }
        let found: [Posting]
        do throws(BillingFault) { found = try entries(data.postings) } catch { throw .notFound("entries: \(error.reason)") }
        guard found == (try postings(of: task, fee: data.fee, at: position, edition: data.edition ?? 1)) else {
            throw .invalid(field: "postings", reason: "are not what the task's event and its Datanets' terms make")
        }
    }
}
