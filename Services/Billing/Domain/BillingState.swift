public import Crypto
internal import EVM
public import Events
public import Money

/// All that billing knows: a fold of the log. Rules read it and say which events follow; ``evolve(_:)`` and
/// ``learn(type:_:id:position:)`` are its only ways to change.
///
/// What billing's own events do depends on their data and on earlier own events alone, never on what other services' events
/// have said by then: so it does not matter which of the two is applied first when both are on their way.
public struct BillingState: Sendable {
    /// The accounts.
    public internal(set) var journal = Journal()
    /// The rules of settlement in force.
    public internal(set) var rules = BillingState.standardRules
    /// The edition of this program's rules that the log has come to. Logs that an older program made are computed again by its own.
    public internal(set) var edition = 1
    /// All rules of settlement that there were, each with the time from which it held.
    var rulesSince: [(time: Timestamp, rules: SettlementRulesSet)] = []

    // Holds, and what was captured and not yet settled.
    var holds: [String: Hold] = [:]
    var holdExpiry = OrderedQueue<Due>()
    /// The last holds that ran out, so that whoever comes too late is told why.
    var expiredHolds = RecentHolds()
    var captured: [String: Captured] = [:]
    var capturedDue = OrderedQueue<Due>()
    /// What could not be paid at all, and waits to be settled for nothing.
    var unpaid: Set<String> = []
    /// Deposits by rail and reference; transactions that can be reversed.
    var deposits: Set<String> = []
    var transactions: [String: [Posting]] = [:]
    // Prices by model, versions from 1; usage by payer, model, meter and month.
    var prices: [String: [PricePublished]] = [:]
    var usage: [UsageKey: Int] = [:]
    // Settlements within their holdback, those that are over, and shares that wait for their owner to be verified.
    var settlements: [String: OpenSettlement] = [:]
    var settlementsDue = OrderedQueue<Due>()
    var settled: Set<UInt128> = []
    /// The settlement of everything that was settled: by the reference, shortened.
    var settlementOf: [UInt128: UInt128] = [:]
    var disputes: [String: Dispute] = [:]
    var disputesDue = OrderedQueue<Due>()
    var waiting: [Int: Int128] = [:]
    var waitingPlaces: [String: Set<Int>] = [:]
    /// Who is verified and has shares that wait, and since when both is so.
    var readyOwners: [String: Timestamp] = [:]
    /// Who is verified, and since when.
    var verified: [String: Timestamp] = [:]
    // Stakes by pool and account.
    var stakes: [StakeKey: Int128] = [:]
    var unbondings: [String: Unbonding] = [:]
    var unbondingsDue = OrderedQueue<Due>()
    // Payouts on rails; wallets and epochs.
    var payouts: [String: PayoutRequested] = [:]
    /// Those of them that are in a file, and the files by rail.
    var sentPayouts: Set<String> = []
    var sentBatches: [String: [[PayoutRequested]]] = [:]
    var wallets: [String: WalletChain] = [:]
    var walletOwners: [EVMAddress: String] = [:]
    var earned: [Asset: [EVMAddress: Int128]] = [:]
    var claimed: [Asset: [EVMAddress: Int128]] = [:]
    var epochs: [Asset: ClosedEpoch] = [:]
    var pastEpochs: [Asset: [PastEpoch]] = [:]
    // Budgets by the payer's place in the journal, what each account was charged in its month, and those that crossed a threshold.
    var budgets: [Int: Budget] = [:]
    var monthly: [Int: MonthlyCharges] = [:]
    var budgetsDue: Set<Int> = []
    /// The greatest time of an event of billing's own, and how many of them there were since it last did something because it fell due.
    var lastOwn = Timestamp(microseconds: 0)
    var ownSince = 0
    /// What other services have said.
    var known = KnownFacts()

    let evidence: @Sendable (Digest) -> [UInt8]?
    let recomputes: Bool

    /// The state before the first event.
    /// - Parameters:
    ///   - recomputes: whether every settlement on the log is computed again and compared: for auditors. A decider has just
    ///     computed what it applies.
    ///   - evidence: bytes of the evidence store by their hash, for lists too long for an event.
    public init(recomputes: Bool = false, evidence: @escaping @Sendable (Digest) -> [UInt8]? = { _ in nil }) {
        self.recomputes = recomputes
        self.evidence = evidence
    }

    /// What holds until rules are set: 5% for the platform, three days of holdback, a week of unbonding.
    public static let standardRules = SettlementRulesSet(
        platformPoints: 500, platform: AccountID(trusted: "platform:house"),
        training: ModelSplit(owner: 0, datanets: 2_000, contributors: 5_000, validators: 500, compute: 2_500),
        holdbackSeconds: 259_200, disputeBond: 1_000_000, unbondSeconds: 604_800, dust: 10_000)

    /// The edition that this program decides by: 2 has epochs that leave wallets in two steps, holdbacks from log time on, settlements by the
    /// rules of when it happened, fees captured once, and reactions that are closed; 3 has Datanets divide what tasks give them.
    public static let presentEdition = 3

    /// Whether an event can be of an edition: none goes back.
    func isPresent(_ edition: Int) -> Bool { edition >= self.edition && edition <= Self.presentEdition }

    /// The rules of settlement that held at a time.
    func rules(at time: Timestamp, edition: Int) -> SettlementRulesSet {
        edition > 1 ? rulesSince.last { $0.time <= time }?.rules ?? Self.standardRules : rules
    }

    /// The entries of a list, wherever they are.
    func entries<Entry: EventPart>(_ list: EvidenceList<Entry>) throws(BillingFault) -> [Entry] {
        switch list {
        case .entries(let entries): return entries
        case .evidence(let digest, let count):
            guard let bytes = evidence(digest) else { throw BillingFault("evidence", digest.prefixed, "is not in the evidence store") }
            guard SHA256.hash(bytes) == digest, let entries = try? EvidenceList<Entry>.decode(bytes), entries.count == count else {
                throw BillingFault("evidence", digest.prefixed, "is not the list of \(count) entries that its event names")
            }
            return entries
        }
    }
}

/// A payer's use of one meter of a model in one month.
struct UsageKey: Hashable, Sendable {
    let payer: AccountID
    let model: String
    let meter: String
    let period: String
}

/// A stake of an account in a pool.
struct StakeKey: Hashable, Sendable, Comparable {
    let pool: String
    let account: AccountID
    let asset: Asset

    static func < (left: StakeKey, right: StakeKey) -> Bool {
        if left.pool != right.pool { return left.pool.utf8.lexicographicallyPrecedes(right.pool.utf8) }
        return left.account != right.account ? left.account < right.account : left.asset < right.asset
    }

    /// Where the money lies.
    var place: AccountID { AccountID(trusted: "stake:\(pool):\(account.text)") }
}

/// Part of a balance that is reserved.
public struct Hold: Sendable, Hashable {
    /// Whose balance.
    public let account: AccountID
    /// What is left of it.
    public internal(set) var left: Amount
    /// The log time from which it is void.
    public let expires: Timestamp
    /// The price of usage under it.
    public let price: PriceReference?
}

/// A fee that was captured for something and waits to be settled.
struct Captured: Sendable, Hashable {
    /// So long it waits, in seconds of log time.
    static let patience = 2_592_000

    let payer: AccountID
    var amount: Amount
    /// When it goes back.
    let due: Timestamp

    /// What gives it back.
    func returned(_ reference: String) -> HoldReturned {
        HoldReturned(
            reference: reference, payer: payer, amount: amount,
            postings: .entries(BillingState.move(amount, from: .fees, to: payer)))
    }
}

/// What an answer's settlement was computed from, besides shares and what Datanets say of theirs.
struct SettlementBasis: Sendable, Hashable {
    let model: String
    let version: Int
    let runner: String
    let platformPoints: Int
    let platform: AccountID
    /// Where the attribution stands: terms are taken as they stood then.
    let position: UInt64
}

/// A settlement within its holdback.
public struct OpenSettlement: Sendable {
    /// Who paid.
    public let payer: AccountID
    /// What was shared out.
    public let fee: Amount
    /// What of it has flowed back.
    public internal(set) var refunded: Int128 = 0
    /// When the holdback is over.
    public internal(set) var releaseAt: Timestamp
    /// What it can be computed from again when its attribution is corrected; nil for a training.
    var basis: SettlementBasis? { aside?.value }
    private let aside: Aside<SettlementBasis>?
    /// The dispute that keeps it.
    public internal(set) var dispute: String?
    /// What each account still has pending of it: the place of its pending account in the journal, and the units.
    var parts: [(place: Int, units: Int128)]

    init(payer: AccountID, fee: Amount, releaseAt: Timestamp, basis: SettlementBasis?, parts: [(place: Int, units: Int128)]) {
        self.payer = payer
        self.fee = fee
        self.releaseAt = releaseAt
        aside = basis.map { Aside($0) }
        self.parts = parts
    }
}

/// An open dispute.
public struct Dispute: Sendable, Hashable {
    /// What is contested.
    public let settlement: String
    /// Who put up the bond.
    public let account: AccountID
    /// The bond.
    public let bond: Amount
    /// When it lapses, if nobody has ruled by then.
    public let due: Timestamp

    /// So long a panel has, in seconds of log time.
    static let patience = 7_776_000
}

/// A stake on its way back.
struct Unbonding: Sendable, Hashable {
    let key: StakeKey
    var units: Int128
    let releaseAt: Timestamp
}

/// What the last closed epoch of an asset gave to wallets and owed to accounts.
public struct ClosedEpoch: Sendable {
    /// From 1.
    public let number: Int
    /// The wallets' cumulative amounts.
    public let leaves: [WalletLeaf]
    /// What the accounts were owed.
    public let liabilities: [Liability]
}
