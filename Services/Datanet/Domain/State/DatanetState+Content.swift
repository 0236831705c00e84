internal import Events
internal import JSON
internal import Money

/// What others say about content and stakes.
extension DatanetState {
    mutating func applyScreened(_ screened: ContributionScreened, _ event: Occurrence) throws(UnfitEvent) {
        guard let position = event.position else { throw UnfitEvent("contribution.screened has no place in the log") }
        // The first screening of a contribution counts: what was decided on it can't be undone by another.
        guard contributions[screened.contribution] == nil else { return }
        contributions[screened.contribution] = Contribution(
            id: screened.contribution, datanet: screened.datanet, contributor: screened.contributor, event: event.id, position: position,
            time: event.time, correlation: event.correlation, items: screened.items, accepted: screened.accepted)
        pending[position] = screened.contribution
    }

    mutating func applyWithdrawn(_ withdrawn: ContributionWithdrawn) {
        if withdrawals[withdrawn.contribution] == nil {
            withdrawals[withdrawn.contribution] = withdrawn.items.isEmpty ? .all : .items(Set(withdrawn.items))
        } else {
            withdrawals[withdrawn.contribution]?.add(withdrawn.items)
        }
        if withdrawn.items.isEmpty { release(withdrawn.contribution) }
        touch(withdrawn.contribution)
    }

    mutating func applyErased(_ erased: ContentErased, _ event: Occurrence) throws(UnfitEvent) {
        guard let position = event.position else { throw UnfitEvent("content.erased has no place in the log") }
        if !erased.items.isEmpty {
            erasedItems.formUnion(erased.items)
        } else if let contribution = erased.contribution {
            withdrawals[contribution] = .all
            release(contribution)
        } else {
            erasedOwners[erased.owner] = max(erasedOwners[erased.owner] ?? 0, position)
        }
        if let contribution = erased.contribution {
            touch(contribution)
        } else {
            for id in datanets.keys { datanets[id]?.revision += 1 }
        }
    }

    /// An author's rows are the claimant's from here on.
    mutating func applyClaimed(_ claimed: ContributorClaimed) {
        authors[claimed.author] = claimed.principal
        datanets[claimed.datanet]?.revision += 1
    }

    /// Its Datanet has other items now.
    private mutating func touch(_ contribution: String) {
        guard let datanet = contributions[contribution]?.datanet else { return }
        datanets[datanet]?.revision += 1
    }

    /// Stakes are billing's; the pool of a Datanet's validators is called by the Datanet's id, and `validator:<principal>` is the
    /// account that a ruling reaches: what is staked by another does not count. Nor does what is being unbonded.
    mutating func applyStake(_ data: JSONFields, _ type: String) throws {
        let pool = try data.id("pool")
        let account = try data.id("account")
        let amount = try data.amount("amount")
        guard account.hasPrefix("validator:") else { return }
        let principal = String(account.dropFirst("validator:".count))
        let before = stakes[pool]?[principal]?[amount.asset.text] ?? 0
        let (after, overflow) =
            type == "stake.bonded" ? before.addingReportingOverflow(amount.units) : before.subtractingReportingOverflow(amount.units)
        if overflow { throw UnfitEvent("the stake of \(principal) in \(pool) leaves 128 bits") }
        // A slash may reach into what is being unbonded, which was taken off here before.
        stakes[pool, default: [:]][principal, default: [:]][amount.asset.text] = max(0, after)
    }
}
