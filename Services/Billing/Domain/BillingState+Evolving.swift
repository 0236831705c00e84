public import Events
internal import JSON
internal import Money

extension BillingState {
    /// Applies one of billing's own events.
    /// - Parameter cause: the event of another service that it answers, if it does.
    /// - Throws: ``BillingFault`` when the event cannot follow what came before; the state is then of no more use.
    public mutating func evolve(_ event: BillingEvent, cause: EventID? = nil, time: Timestamp) throws(BillingFault) {
        switch event {
        case .holdPlaced(let data): try apply(data)
        case .holdCaptured(let data): try apply(data, at: time)
        case .holdReleased(let data): try apply(data)
        case .holdReturned(let data): try apply(data)
        case .reactionClosed: break
        case .disputeLapsed(let data): try apply(data)
        case .payoutSent(let data): try apply(data)
        case .settlementPosted(let data): try apply(data, at: time)
        case .settlementCorrected(let data): try apply(data)
        case .settlementReleased(let data): try apply(data, at: time)
        case .journalPosted(let data): try apply(data, at: time)
        case .depositReceived(let data): try apply(data)
        case .accountOpened(let data): try apply(data)
        case .accountVerified(let data): verify(data.owner, at: time)
        case .walletSet(let data): try apply(data)
        case .budgetSet(let data): try apply(data)
        case .budgetAlerted(let data): try apply(data)
        case .pricePublished(let data): try apply(data)
        case .settlementRulesSet(let data):
            rules = data
            rulesSince.append((time, data))
        case .refundPosted(let data): try apply(data)
        case .disputeOpened(let data): try apply(data, at: time)
        case .disputeResolved(let data): try apply(data, at: time)
        case .stakeBonded(let data): try apply(data)
        case .stakeUnbonded(let data): try apply(data)
        case .stakeWithdrawn(let data): try apply(data)
        case .stakeSlashed(let data): try apply(data)
        case .stakeRewarded(let data): _ = try post(data.postings, StakeRewarded.type, data.pool)
        case .payoutRequested(let data): try apply(data)
        case .payoutFinished(let data): try apply(data)
        case .payoutEpochClosed(let data): try apply(data)
        case .payoutClaimed(let data): try apply(data)
        }
        if let cause { answered(cause.text, by: event) } else { ran(event, at: time) }
    }

    /// Billing ran at that time, as the audit wants to know.
    private mutating func ran(_ event: BillingEvent, at time: Timestamp) {
        lastOwn = max(lastOwn, time)
        ownSince += 1
        switch event {
        case .settlementReleased, .stakeWithdrawn, .holdReturned, .disputeLapsed: break
        case .holdReleased(let data) where data.expired: break
        default: return
        }
        ownSince = 0
    }

    /// What is paid for is answered once it is settled; what took its fee is only half of the answer.
    private mutating func answered(_ cause: String, by event: BillingEvent) {
        switch known.reactions[cause]?.reaction {
        case .job, .settle, .access: guard case .settlementPosted = event else { return }
        case .task(let task): if task.amount.isPositive { guard case .settlementPosted = event else { return } }
        default: break
        }
        reacted(to: cause)
    }

    /// Applies a transaction's entries.
    mutating func post(
        _ list: EvidenceList<Posting>, _ type: String, _ subject: String, freed: [Int: Int128] = [:]
    ) throws(BillingFault) -> [Posting] {
        let postings = try entries(list)
        do throws(BillingError) { try journal.post(postings, freed: freed) } catch { throw BillingFault(type, subject, "\(error)") }
        return postings
    }

    /// Throws unless an event's entries are the ones that its other data ask for.
    func expect(_ postings: [Posting], _ expected: [Posting], _ type: String, _ subject: String) throws(BillingFault) {
        guard postings != expected else { return }
        let wrong = Set(postings).symmetricDifference(expected).map { "\($0.account) \($0.amount.unitsText)" }.sorted().prefix(4)
        throw BillingFault(type, subject, "its entries are not what its data ask for: \(wrong.joined(separator: ", "))")
    }

    /// The entries of one move.
    static func move(_ amount: Amount, from source: AccountID, to destination: AccountID) -> [Posting] {
        guard !amount.isZero, source != destination, let debit = try? amount.negated() else { return [] }
        let from = Posting(account: source, amount: debit), to = Posting(account: destination, amount: amount)
        return source < destination ? [from, to] : [to, from]
    }
}
