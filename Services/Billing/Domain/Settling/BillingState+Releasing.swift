public import Events
internal import Money

extension BillingState {
    /// At most this many settlements are released by one event, and this many accounts paid, so that its entries stand in it.
    static let maximumReleased = 200
    static let maximumPaid = 95

    /// Whether something is due at a log time: holds that expired, fees that nobody settled and disputes that nobody ruled on in time, settlements whose holdback is over, stakes that are free, budgets of
    /// which somebody is to be told.
    public func isDue(at now: Timestamp) -> Bool {
        if let first = holdExpiry.first, first.time <= now { return true }
        if let first = settlementsDue.first, first.time <= now { return true }
        if let first = unbondingsDue.first, first.time <= now { return true }
        if let first = capturedDue.first, first.time <= now { return true }
        if let first = disputesDue.first, first.time <= now { return true }
        return !readyOwners.isEmpty || !budgetsDue.isEmpty
    }

    /// What fell due long ago, the first of each kind, though billing has decided much since. Where it has not, it may just not have run, or be
    /// in the midst of doing what is due, a part at a time.
    func overdue(at now: Timestamp, patience: Int) -> [(type: String, due: Timestamp)] {
        let queues: [(String, Timestamp?)] = [
            (HoldReleased.type, holdExpiry.first?.time), (SettlementReleased.type, settlementsDue.first?.time),
            (SettlementReleased.type, readyOwners.values.min()), (StakeWithdrawn.type, unbondingsDue.first?.time),
            (HoldReturned.type, capturedDue.first?.time), (DisputeLapsed.type, disputesDue.first?.time),
        ]
        return queues.compactMap { type, first in
            guard let first, first.adding(seconds: patience) < now else { return nil }
            guard ownSince >= 100, first.adding(seconds: patience) < lastOwn else { return nil }
            return (type, first)
        }
    }

    /// When the next thing falls due; nil when nothing is waiting.
    public var nextDue: Timestamp? {
        [holdExpiry.first?.time, settlementsDue.first?.time, unbondingsDue.first?.time, capturedDue.first?.time, disputesDue.first?.time]
            .compactMap { $0 }.min()
    }

    /// Does what is due at a log time, a bounded part of it at once: ask again while ``isDue(at:)``.
    public func sweep(now: Timestamp) throws(BillingError) -> Decision {
        var decision = Decision.nothing
        for due in holdExpiry.inOrder.prefix(200) {
            guard due.time <= now, let hold = holds[due.id] else { break }
            decision.events.append(.holdReleased(HoldReleased(id: due.id, amount: hold.left, expired: true)))
        }
        for due in unbondingsDue.inOrder.prefix(100) {
            guard due.time <= now, let unbonding = unbondings[due.id] else { break }
            let amount = Amount(unbonding.units, unbonding.key.asset)
            let postings = Self.move(amount, from: unbonding.key.place, to: unbonding.key.account)
            decision.events.append(.stakeWithdrawn(StakeWithdrawn(id: due.id, amount: amount, postings: .entries(postings))))
        }
        for due in capturedDue.inOrder.prefix(100) {
            guard due.time <= now, let fee = captured[due.id] else { break }
            decision.events.append(.holdReturned(fee.returned(due.id)))
        }
        for due in disputesDue.inOrder.prefix(100) {
            guard due.time <= now, let dispute = disputes[due.id] else { break }
            decision.events.append(.disputeLapsed(dispute.lapsed(due.id)))
        }
        decision.events += dueAlerts(limit: 100)
        try release(now: now, into: &decision)
        return decision
    }

    /// The accounts that wait though their owners are verified, as many as are paid at once: who has waited longest comes first, so that nobody is passed over.
    func readyPlaces(at now: Timestamp) -> [Int] {
        var places: [Int] = []
        let owners = readyOwners.filter { $0.value <= now }.sorted { $0.value != $1.value ? $0.value < $1.value : $0.key < $1.key }
        for (owner, _) in owners where places.count < Self.maximumPaid { places += (waitingPlaces[owner] ?? []).sorted() }
        return places
    }

    private func release(now: Timestamp, into decision: inout Decision) throws(BillingError) {
        var released: [String] = []
        var paid: [Int: Int128] = [:]
        for place in readyPlaces(at: now) { paid[place] = 0 }
        for due in settlementsDue.inOrder.prefix(Self.maximumReleased) {
            guard due.time <= now, let settlement = settlements[due.id] else { break }
            let payable = settlement.parts.filter { $0.units > 0 && isPayable($0.place) }
            if !released.isEmpty, paid.count + payable.count > Self.maximumPaid { break }
            for part in payable { paid[part.place, default: 0] += part.units }
            released.append(due.id)
        }
        guard !released.isEmpty || !paid.isEmpty else { return }
        for place in paid.keys { paid[place, default: 0] += waiting[place] ?? 0 }
        // One event holds one asset's entries or several's; they balance for each.
        var postings: [Posting] = []
        for (place, units) in paid where units > 0 {
            let account = journal.accounts[place]
            postings += Self.move(Amount(units, account.asset), from: account.id, to: account.id.awaited)
        }
        postings.sort { $0.account != $1.account ? $0.account < $1.account : $0.amount.asset < $1.amount.asset }
        let list = try decision.list(postings)
        decision.events.append(.settlementReleased(SettlementReleased(settlements: released, postings: list)))
    }

    /// Whether a pending account's owner may have what is due.
    private func isPayable(_ place: Int) -> Bool {
        wasPayable(place, before: .maximum)
    }

    /// The same, where that was so before a time already.
    private func wasPayable(_ place: Int, before time: Timestamp) -> Bool {
        let account = journal.accounts[place].id.awaited
        guard account.accountKind?.needsVerifiedOwner == true else { return true }
        return verified[String(account.owner)].map { $0 < time } ?? false
    }

    /// The first account that a release has to pay and does not: its owner was verified before that time.
    func leftOut(by released: SettlementReleased, paid: Set<Int>, verifiedBefore time: Timestamp) -> AccountID? {
        for id in released.settlements {
            let left = settlements[id]?.parts.first { $0.units > 0 && !paid.contains($0.place) && wasPayable($0.place, before: time) }
            if let left { return journal.accounts[left.place].id.awaited }
        }
        return nil
    }

    mutating func apply(_ data: SettlementReleased, at time: Timestamp) throws(BillingFault) {
        let subject = data.settlements.first ?? "waiting shares"
        let postings = try post(data.postings, SettlementReleased.type, subject)
        var left: [Int: Int128] = [:]
        for posting in postings where posting.account.accountKind == .pending {
            guard posting.amount.isNegative, let place = journal.place(posting.account, posting.amount.asset) else {
                throw BillingFault(SettlementReleased.type, subject, "credits the pending account \(posting.account)")
            }
            left[place] = -posting.amount.units
        }
        let paid = Set(left.keys)
        for place in paid {
            left[place, default: 0] -= waiting[place] ?? 0
            forget(place)
        }
        for id in data.settlements {
            guard let settlement = settlements.removeValue(forKey: id), settlement.dispute == nil, let key = UInt128(uuid: id) else {
                throw BillingFault(SettlementReleased.type, id, "is not within its holdback, or is disputed")
            }
            settlementsDue.remove(Due(time: settlement.releaseAt, id: id))
            settled.insert(key)
            for part in settlement.parts where part.units > 0 {
                if paid.contains(part.place) { left[part.place, default: 0] -= part.units } else { wait(part.place, part.units, time) }
            }
        }
        for (place, units) in left where units != 0 {
            throw BillingFault(SettlementReleased.type, subject, "\(journal.accounts[place].id) is paid \(units) too much")
        }
        for posting in postings where posting.amount.isPositive {
            guard
                postings.contains(where: {
                    $0.account == posting.account.pending && $0.amount.units == -posting.amount.units
                        && $0.amount.asset == posting.amount.asset
                })
            else { throw BillingFault(SettlementReleased.type, subject, "\(posting.account) is paid from another's pending account") }
        }
    }

    /// Shares that are due wait for their owner to be verified.
    private mutating func wait(_ place: Int, _ units: Int128, _ time: Timestamp) {
        waiting[place, default: 0] += units
        let owner = String(journal.accounts[place].id.awaited.owner)
        waitingPlaces[owner, default: []].insert(place)
        if verified[owner] != nil, readyOwners[owner] == nil { readyOwners[owner] = time }
    }

    private mutating func forget(_ place: Int) {
        guard waiting.removeValue(forKey: place) != nil else { return }
        let owner = String(journal.accounts[place].id.awaited.owner)
        waitingPlaces[owner]?.remove(place)
        if waitingPlaces[owner]?.isEmpty == true {
            waitingPlaces[owner] = nil
            readyOwners[owner] = nil
        }
    }
}

extension AccountID {
    /// Of a pending account, the account that what is pending is for.
    var awaited: AccountID { AccountID(trusted: String(owner)) }
}
