public import Events
public import JSON

/// One event of billing's, with its data.
public indirect enum BillingEvent: Sendable, Hashable {
    /// ``HoldPlaced``.
    case holdPlaced(HoldPlaced)
    /// ``HoldCaptured``.
    case holdCaptured(HoldCaptured)
    /// ``SettlementPosted``.
    case settlementPosted(SettlementPosted)
    /// ``SettlementCorrected``.
    case settlementCorrected(SettlementCorrected)
    /// ``HoldReleased``.
    case holdReleased(HoldReleased)
    /// ``DisputeLapsed``.
    case disputeLapsed(DisputeLapsed)
    /// ``PayoutSent``.
    case payoutSent(PayoutSent)
    /// ``HoldReturned``.
    case holdReturned(HoldReturned)
    /// ``ReactionClosed``.
    case reactionClosed(ReactionClosed)
    /// ``SettlementReleased``.
    case settlementReleased(SettlementReleased)
    /// ``JournalPosted``.
    case journalPosted(JournalPosted)
    /// ``DepositReceived``.
    case depositReceived(DepositReceived)
    /// ``AccountOpened``.
    case accountOpened(AccountOpened)
    /// ``AccountVerified``.
    case accountVerified(AccountVerified)
    /// ``WalletSet``.
    case walletSet(WalletSet)
    /// ``BudgetSet``.
    case budgetSet(BudgetSet)
    /// ``BudgetAlerted``.
    case budgetAlerted(BudgetAlerted)
    /// ``PricePublished``.
    case pricePublished(PricePublished)
    /// ``SettlementRulesSet``.
    case settlementRulesSet(SettlementRulesSet)
    /// ``RefundPosted``.
    case refundPosted(RefundPosted)
    /// ``DisputeOpened``.
    case disputeOpened(DisputeOpened)
    /// ``DisputeResolved``.
    case disputeResolved(DisputeResolved)
    /// ``StakeBonded``.
    case stakeBonded(StakeBonded)
    /// ``StakeUnbonded``.
    case stakeUnbonded(StakeUnbonded)
    /// ``StakeWithdrawn``.
    case stakeWithdrawn(StakeWithdrawn)
    /// ``StakeSlashed``.
    case stakeSlashed(StakeSlashed)
    /// ``StakeRewarded``.
    case stakeRewarded(StakeRewarded)
    /// ``PayoutRequested``.
    case payoutRequested(PayoutRequested)
    /// ``PayoutFinished``.
    case payoutFinished(PayoutFinished)
    /// ``PayoutEpochClosed``.
    case payoutEpochClosed(PayoutEpochClosed)
    /// ``PayoutClaimed``.
    case payoutClaimed(PayoutClaimed)

    /// The data.
    public var data: any EventData {
        switch self {
        case .holdPlaced(let data): data
        case .holdCaptured(let data): data
        case .settlementPosted(let data): data
        case .settlementCorrected(let data): data
        case .holdReleased(let data): data
        case .disputeLapsed(let data): data
        case .payoutSent(let data): data
        case .holdReturned(let data): data
        case .reactionClosed(let data): data
        case .settlementReleased(let data): data
        case .journalPosted(let data): data
        case .depositReceived(let data): data
        case .accountOpened(let data): data
        case .accountVerified(let data): data
        case .walletSet(let data): data
        case .budgetSet(let data): data
        case .budgetAlerted(let data): data
        case .pricePublished(let data): data
        case .settlementRulesSet(let data): data
        case .refundPosted(let data): data
        case .disputeOpened(let data): data
        case .disputeResolved(let data): data
        case .stakeBonded(let data): data
        case .stakeUnbonded(let data): data
        case .stakeWithdrawn(let data): data
        case .stakeSlashed(let data): data
        case .stakeRewarded(let data): data
        case .payoutRequested(let data): data
        case .payoutFinished(let data): data
        case .payoutEpochClosed(let data): data
        case .payoutClaimed(let data): data
        }
    }

    /// Reads the data of a type; nil when the type is not billing's.
    public init?(type: String, _ fields: JSONFields) throws(JSONFieldError) {
        switch type {
        case HoldPlaced.type: self = .holdPlaced(try HoldPlaced(fields))
        case HoldCaptured.type: self = .holdCaptured(try HoldCaptured(fields))
        case SettlementPosted.type: self = .settlementPosted(try SettlementPosted(fields))
        case SettlementCorrected.type: self = .settlementCorrected(try SettlementCorrected(fields))
        case HoldReleased.type: self = .holdReleased(try HoldReleased(fields))
        case DisputeLapsed.type: self = .disputeLapsed(try DisputeLapsed(fields))
        case PayoutSent.type: self = .payoutSent(try PayoutSent(fields))
        case HoldReturned.type: self = .holdReturned(try HoldReturned(fields))
        case ReactionClosed.type: self = .reactionClosed(try ReactionClosed(fields))
        case SettlementReleased.type: self = .settlementReleased(try SettlementReleased(fields))
        case JournalPosted.type: self = .journalPosted(try JournalPosted(fields))
        case DepositReceived.type: self = .depositReceived(try DepositReceived(fields))
        case AccountOpened.type: self = .accountOpened(try AccountOpened(fields))
        case AccountVerified.type: self = .accountVerified(try AccountVerified(fields))
        case WalletSet.type: self = .walletSet(try WalletSet(fields))
        case BudgetSet.type: self = .budgetSet(try BudgetSet(fields))
        case BudgetAlerted.type: self = .budgetAlerted(try BudgetAlerted(fields))
        case PricePublished.type: self = .pricePublished(try PricePublished(fields))
        case SettlementRulesSet.type: self = .settlementRulesSet(try SettlementRulesSet(fields))
        case RefundPosted.type: self = .refundPosted(try RefundPosted(fields))
        case DisputeOpened.type: self = .disputeOpened(try DisputeOpened(fields))
        case DisputeResolved.type: self = .disputeResolved(try DisputeResolved(fields))
        case StakeBonded.type: self = .stakeBonded(try StakeBonded(fields))
        case StakeUnbonded.type: self = .stakeUnbonded(try StakeUnbonded(fields))
        case StakeWithdrawn.type: self = .stakeWithdrawn(try StakeWithdrawn(fields))
        case StakeSlashed.type: self = .stakeSlashed(try StakeSlashed(fields))
        case StakeRewarded.type: self = .stakeRewarded(try StakeRewarded(fields))
        case PayoutRequested.type: self = .payoutRequested(try PayoutRequested(fields))
        case PayoutFinished.type: self = .payoutFinished(try PayoutFinished(fields))
        case PayoutEpochClosed.type: self = .payoutEpochClosed(try PayoutEpochClosed(fields))
        case PayoutClaimed.type: self = .payoutClaimed(try PayoutClaimed(fields))
        default: return nil
        }
    }

    /// The types that there are.
    public static let types: Set<String> = [
        HoldPlaced.type, HoldCaptured.type, SettlementPosted.type, SettlementCorrected.type, HoldReleased.type, SettlementReleased.type,
        HoldReturned.type, ReactionClosed.type, DisputeLapsed.type, PayoutSent.type, JournalPosted.type, BudgetSet.type, BudgetAlerted.type,
        DepositReceived.type, AccountOpened.type, AccountVerified.type, WalletSet.type, PricePublished.type, SettlementRulesSet.type,
        RefundPosted.type, DisputeOpened.type, DisputeResolved.type, StakeBonded.type, StakeUnbonded.type, StakeWithdrawn.type,
        StakeSlashed.type, StakeRewarded.type, PayoutRequested.type, PayoutFinished.type, PayoutEpochClosed.type, PayoutClaimed.type,
    ]
}
