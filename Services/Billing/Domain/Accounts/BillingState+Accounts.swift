public import Events
public import Money

extension BillingState {
    /// Opens an account in an asset, or does nothing when it is open with the same limits.
    public func openAccount(_ id: AccountID, _ asset: Asset, overdraft: Amount?, ceiling: Amount?) throws(BillingError) -> Decision {
        guard let kind = id.accountKind else { throw .wrongKind(id, reason: "is of no kind that there is") }
        guard kind.isTransferable else { throw .wrongKind(id, reason: "opens by itself") }
        if let overdraft {
            guard overdraft.asset == asset else { throw .wrongAsset(expected: asset, actual: overdraft.asset) }
            guard !overdraft.isNegative else { throw .invalid(field: "overdraft", reason: "must not be below zero") }
        }
        if let ceiling {
            guard ceiling.asset == asset else { throw .wrongAsset(expected: asset, actual: ceiling.asset) }
            guard ceiling.isPositive else { throw .notPositive("ceiling") }
        }
        if let account = journal.account(id, asset) {
            guard account.floor == -(overdraft?.units ?? 0), account.ceiling == ceiling?.units else { throw .accountExists(id, asset) }
            return .nothing
        }
        return Decision(.accountOpened(AccountOpened(account: id, asset: asset, overdraft: overdraft, ceiling: ceiling)))
    }

    mutating func apply(_ data: AccountOpened) throws(BillingFault) {
        let place = journal.open(data.account, data.asset)
        journal.setLimits(place, floor: -(data.overdraft?.units ?? 0), ceiling: data.ceiling?.units)
    }

    /// Says that an owner has a proven claim.
    public func verifyOwner(_ owner: String, claim: String) throws(BillingError) -> Decision {
        guard ["mail", "domain", "vouched"].contains(claim) else {
            throw .invalid(field: "claim", reason: "must be mail, domain or vouched")
        }
        return Decision(.accountVerified(AccountVerified(owner: owner, claim: claim)))
    }

    /// Credits what came in on a rail. A reference of a rail is taken once.
    public func deposit(id: String, to account: AccountID, _ amount: Amount, rail: String, reference: String) throws(BillingError)
        -> Decision
    {
        try checkCredit(account, amount, "deposit")
        guard !deposits.contains(rail + "\n" + reference) else { throw .exists("the deposit \(reference) of \(rail)") }
        let postings = Self.move(amount, from: try AccountID(.external, rail), to: account)
        try journal.check(postings)
        return Decision(
            .depositReceived(
                DepositReceived(
                    id: id, account: account, amount: amount, rail: rail, reference: reference, postings: .entries(postings))))
    }

    mutating func apply(_ data: DepositReceived) throws(BillingFault) {
        let postings = try post(data.postings, DepositReceived.type, data.id)
        try expect(
            postings, Self.move(data.amount, from: AccountID(trusted: "external:" + data.rail), to: data.account), DepositReceived.type,
            data.id)
        guard deposits.insert(data.rail + "\n" + data.reference).inserted else {
            throw BillingFault(DepositReceived.type, data.id, "the reference \(data.reference) of \(data.rail) was credited before")
        }
    }

    /// Moves money between accounts that are moved by command.
    public func transfer(id: String, _ postings: [Posting], reason: String) throws(BillingError) -> Decision {
        guard !postings.isEmpty else { throw .invalid(field: "postings", reason: "must not be empty") }
        for posting in postings {
            guard posting.account.accountKind?.isTransferable == true else {
                throw .wrongKind(posting.account, reason: "is not moved by transfers")
            }
            if posting.amount.isPositive { try checkCredit(posting.account, posting.amount, "transfer") }
        }
        return try journalTransaction(id: id, postings, reason: reason, reverses: nil)
    }

    /// Moves money out of a hold that was placed for it, and sets free what is left of that. Once the hold is gone, it is a transfer.
    public func pay(id: String, _ postings: [Posting], reason: String, hold: String) throws(BillingError) -> Decision {
        guard let held = holds[hold], let place = journal.place(held.account, held.left.asset) else {
            return try transfer(id: id, postings, reason: reason)
        }
        for posting in postings where posting.amount.isNegative && posting.account != held.account {
            throw .invalid(field: "hold", reason: "\(hold) is not on \(posting.account)")
        }
        for posting in postings where posting.amount.isPositive { try checkCredit(posting.account, posting.amount, "transfer") }
        var decision = try releaseHold(hold)
        decision.append(
            try journalTransaction(id: id, postings, reason: reason, reverses: nil, freed: [place: held.left.units]))
        return decision
    }

    /// Undoes a transfer by entries of the opposite sign; a transfer is reversed once.
    public func reverse(id: String, transaction: String, reason: String) throws(BillingError) -> Decision {
        guard let postings = transactions[transaction] else { throw .notFound("transfer \(transaction) that is not reversed yet") }
        return try journalTransaction(id: id, try Self.opposite(postings), reason: reason, reverses: transaction)
    }

    private func journalTransaction(
        id: String, _ postings: [Posting], reason: String, reverses: String?, freed: [Int: Int128] = [:]
    ) throws(BillingError) -> Decision {
        try journal.check(postings, freed: freed)
        var decision = Decision.nothing
        let list = try decision.list(postings)
        decision.events = [.journalPosted(JournalPosted(id: id, reason: reason, reverses: reverses, postings: list))]
        return decision
    }

    private static func opposite(_ postings: [Posting]) throws(BillingError) -> [Posting] {
        var opposite: [Posting] = []
        for posting in postings {
            opposite.append(
                Posting(account: posting.account, amount: try exactly { () throws(MoneyError) in try posting.amount.negated() }))
        }
        return opposite
    }

    mutating func apply(_ data: JournalPosted, at time: Timestamp) throws(BillingFault) {
        let postings = try post(data.postings, JournalPosted.type, data.id)
        if let reverses = data.reverses {
            guard let first = transactions.removeValue(forKey: reverses), let undone = try? Self.opposite(first), undone == postings else {
                throw BillingFault(JournalPosted.type, data.id, "does not undo \(reverses)")
            }
        } else if let reference = data.reference {
            try capture(postings, reference, JournalPosted.type, data.id, at: time)
        } else {
            transactions[data.id] = postings
        }
    }

    /// Throws unless an account that is credited by command is there, takes the asset, and stays under its ceiling.
    func checkCredit(_ id: AccountID, _ amount: Amount, _ what: String) throws(BillingError) {
        guard id.accountKind?.isTransferable == true else { throw .wrongKind(id, reason: "cannot take a \(what)") }
        guard amount.isPositive else { throw .notPositive("the amount of a \(what)") }
        guard let account = journal.account(id, amount.asset) else { throw .unknownAccount(id, amount.asset) }
        let (sum, overflow) = account.balance.addingReportingOverflow(amount.units)
        if overflow { throw .money(.overflow(amount.asset)) }
        if let ceiling = account.ceiling, sum > ceiling { throw .aboveCeiling(id, ceiling: Amount(ceiling, amount.asset)) }
    }
}
