public import Events
public import Money

extension BillingState {
    /// What an account has bonded in a pool.
    public func stake(_ account: AccountID, in pool: String, _ asset: Asset) -> Amount {
        Amount(stakes[StakeKey(pool: pool, account: account, asset: asset)] ?? 0, asset)
    }

    /// In at most so many assets an account stakes in one pool: what a ruling takes from all whom it names, each asset by an event of its
    /// own, must go into one append.
    static let maximumStakedAssets = 5

    /// Stakes money in a pool.
    public func bond(_ amount: Amount, from account: AccountID, in pool: String) throws(BillingError) -> Decision {
        guard amount.isPositive else { throw .notPositive("a stake") }
        guard account.accountKind?.isTransferable == true else { throw .wrongKind(account, reason: "cannot stake") }
        let key = try stakeKey(pool, account, amount.asset)
        let others = staked { $0.pool == pool && $0.account == account && $0.asset != amount.asset }
        guard others.count < Self.maximumStakedAssets else {
            throw .inTheWay("\(account) has stakes in \(others.count) assets in \(pool) already: unbond one of them first")
        }
        let postings = Self.move(amount, from: account, to: key.place)
        try journal.check(postings)
        return Decision(.stakeBonded(StakeBonded(pool: pool, account: account, amount: amount, postings: .entries(postings))))
    }

    mutating func apply(_ data: StakeBonded) throws(BillingFault) {
        let key = StakeKey(pool: data.pool, account: data.account, asset: data.amount.asset)
        let postings = try post(data.postings, StakeBonded.type, data.pool)
        try expect(postings, Self.move(data.amount, from: data.account, to: key.place), StakeBonded.type, data.pool)
        stakes[key, default: 0] += data.amount.units
    }

    /// Asks for part of a stake back; it can be slashed until it is free.
    public func unbond(id: String, _ amount: Amount, of account: AccountID, in pool: String, now: Timestamp) throws(BillingError)
        -> Decision
    {
        guard amount.isPositive else { throw .notPositive("what is unbonded") }
        let bonded = stake(account, in: pool, amount.asset)
        guard amount.units <= bonded.units else { throw .beyond(what: "the stake of \(account) in \(pool)", wanted: amount, left: bonded) }
        return Decision(
            .stakeUnbonded(
                StakeUnbonded(
                    id: id, pool: pool, account: account, amount: amount, releaseAt: now.adding(seconds: rules.unbondSeconds))))
    }

    mutating func apply(_ data: StakeUnbonded) throws(BillingFault) {
        let key = StakeKey(pool: data.pool, account: data.account, asset: data.amount.asset)
        guard data.amount.isPositive, let bonded = stakes[key], data.amount.units <= bonded, unbondings[data.id] == nil else {
            throw BillingFault(StakeUnbonded.type, data.id, "unbonds more than is bonded")
        }
        stakes[key] = bonded == data.amount.units ? nil : bonded - data.amount.units
        unbondings[data.id] = Unbonding(key: key, units: data.amount.units, releaseAt: data.releaseAt)
        unbondingsDue.insert(Due(time: data.releaseAt, id: data.id))
    }

    mutating func apply(_ data: StakeWithdrawn) throws(BillingFault) {
        guard let unbonding = unbondings.removeValue(forKey: data.id), unbonding.units == data.amount.units else {
            throw BillingFault(StakeWithdrawn.type, data.id, "is not what was being unbonded")
        }
        unbondingsDue.remove(Due(time: unbonding.releaseAt, id: data.id))
        let postings = try post(data.postings, StakeWithdrawn.type, data.id)
        try expect(postings, Self.move(data.amount, from: unbonding.key.place, to: unbonding.key.account), StakeWithdrawn.type, data.id)
    }

    /// Takes part of a stake by ruling: from what is bonded, then from what is being unbonded, the soonest free first.
    public func slash(_ amount: Amount, of account: AccountID, in pool: String, ruling: String) throws(BillingError) -> Decision {
        guard amount.isPositive else { throw .notPositive("what is slashed") }
        let key = try stakeKey(pool, account, amount.asset)
        let total = Amount((stakes[key] ?? 0) + beingUnbonded(key).reduce(0) { $0 + $1.units }, amount.asset)
        guard amount.units <= total.units else { throw .beyond(what: "the stake of \(account) in \(pool)", wanted: amount, left: total) }
        let postings = Self.move(amount, from: key.place, to: rules.platform)
        return Decision(
            .stakeSlashed(
                StakeSlashed(
                    pool: pool, account: account, amount: amount, beneficiary: rules.platform, ruling: ruling, postings: .entries(postings))
            ))
    }

    mutating func apply(_ data: StakeSlashed) throws(BillingFault) {
        let key = StakeKey(pool: data.pool, account: data.account, asset: data.amount.asset)
        let postings = try post(data.postings, StakeSlashed.type, data.pool)
        try expect(postings, Self.move(data.amount, from: key.place, to: data.beneficiary), StakeSlashed.type, data.pool)
        var left = data.amount.units
        let bonded = min(left, stakes[key] ?? 0)
        left -= bonded
        stakes[key] = (stakes[key] ?? 0) == bonded ? nil : (stakes[key] ?? 0) - bonded
        for (id, _) in beingUnbonded(key) {
            guard left > 0, let units = unbondings[id]?.units else { break }
            let taken = min(left, units)
            left -= taken
            unbondings[id]?.units -= taken
        }
        guard left == 0 else { throw BillingFault(StakeSlashed.type, data.pool, "takes more than \(data.account) has staked") }
    }

    private func beingUnbonded(_ key: StakeKey) -> [(id: String, units: Int128)] {
        unbondingsDue.inOrder.compactMap { due in
            guard let unbonding = unbondings[due.id], unbonding.key == key else { return nil }
            return (id: due.id, units: unbonding.units)
        }
    }

    /// Does what a ruling says of stakes: so many basis points of what each principal has as a validator in the pool that it names. What
    /// is being unbonded counts as what is bonded: who asks for a stake back after a vote answers for the vote.
    public func penalise(_ ruling: RulingMade) throws(BillingError) -> Decision {
        guard let pool = ruling.pool else { return .nothing }
        var decision = Decision.nothing
        for penalty in ruling.penalties {
            let account = try AccountID(.validator, penalty.principal)
            for (key, units) in staked({ $0.pool == pool && $0.account == account }) {
                let parts = try exactly { () throws(MoneyError) in
                    let lost = try BasisPoints(Int64(penalty.points)), kept = try BasisPoints(10_000 - Int64(penalty.points))
                    return try Amount(units, key.asset).split(by: [lost, kept])
                }
                guard parts[0].isPositive else { continue }
                decision.events += try slash(parts[0], of: account, in: pool, ruling: ruling.ruling).events
            }
        }
        return decision
    }

    /// What is bonded and what is being unbonded, together, in the order of the keys.
    private func staked(_ isMeant: (StakeKey) -> Bool) -> [(key: StakeKey, units: Int128)] {
        var found: [StakeKey: Int128] = [:]
        for (key, units) in stakes where isMeant(key) { found[key, default: 0] += units }
        for unbonding in unbondings.values where isMeant(unbonding.key) { found[unbonding.key, default: 0] += unbonding.units }
        return found.sorted { $0.key < $1.key }.map { (key: $0.key, units: $0.value) }
    }

    /// Takes all that a runner has staked, what is being unbonded too: it handed in something else than it said.
    public func penalise(_ checked: JobChecked) throws(BillingError) -> Decision {
        guard checked.isLie else { return .nothing }
        var decision = Decision.nothing
        for (key, units) in staked({ $0.pool == Self.runners && $0.account.owner == checked.runner }) where units > 0 {
            decision.events += try slash(Amount(units, key.asset), of: key.account, in: key.pool, ruling: checked.job).events
        }
        return decision
    }

    /// The pool in which runners' stakes are bonded.
    static let runners = "runners"

    /// Splits a reward among a pool's bonded stakes.
    public func reward(_ amount: Amount, from source: AccountID, pool: String) throws(BillingError) -> Decision {
        guard amount.isPositive else { throw .notPositive("a reward") }
        guard source.accountKind?.isTransferable == true else { throw .wrongKind(source, reason: "cannot pay rewards") }
        let stakers = stakes.filter { $0.key.pool == pool && $0.key.asset == amount.asset }.sorted { $0.key < $1.key }
        guard !stakers.isEmpty else { throw .notFound("stake in \(pool) in \(amount.asset)") }
        let parts = try exactly { () throws(MoneyError) in try amount.split(by: stakers.map { UInt128($0.value) }) }
        var entries = Entries(amount.asset)
        for (staker, part) in zip(stakers, parts) { try entries.move(part.units, from: source, to: staker.key.account) }
        try journal.check(entries.postings)
        var decision = Decision.nothing
        let list = try decision.list(entries.postings)
        decision.events = [.stakeRewarded(StakeRewarded(pool: pool, source: source, amount: amount, postings: list))]
        return decision
    }

    private func stakeKey(_ pool: String, _ account: AccountID, _ asset: Asset) throws(BillingError) -> StakeKey {
        guard !pool.contains(":"), AccountID("stake:\(pool):\(account.text)") != nil else {
            throw .invalid(field: "pool", reason: "must be visible ASCII without colon, and short enough to go with the account's name")
        }
        return StakeKey(pool: pool, account: account, asset: asset)
    }
}

extension BillingState {
    /// Does what a ruling says: ends the dispute that it is about, and takes the stakes that are lost by it.
    public func act(on ruling: RulingMade) throws(BillingError) -> Decision {
        var decision = try penalise(ruling)
        if ruling.about == "dispute", dispute(ruling.subject) != nil {
            decision.append(try resolveDispute(ruling.subject, upheld: ruling.upheld, refund: nil, ruling: ruling.ruling))
        }
        return decision
    }
}
