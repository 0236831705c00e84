public import Events
public import Money

/// Who joined with a runner of their own, and what vouches for their work.
public struct RunnerBook: Sendable {
    /// The pool in which runners' stakes are bonded.
    public static let pool = "runners"

    /// By principal, as they last described themselves.
    public private(set) var registered: [String: RunnerRegistered] = [:]
    private var stakes: [String: [Asset: Int128]] = [:]

    /// What a runner has bonded.
    public func stake(of runner: String, in asset: Asset) -> Amount { Amount(stakes[runner]?[asset] ?? 0, asset) }

    mutating func add(_ data: RunnerRegistered) { registered[data.runner] = data }

    mutating func add(_ data: StakeBonded) { move(data.pool, data.account, data.amount.units, data.amount.asset) }

    mutating func add(_ data: StakeUnbonded) { move(data.pool, data.account, -data.amount.units, data.amount.asset) }

    /// What is slashed is taken from what is bonded first: more than that was being unbonded.
    mutating func add(_ data: StakeSlashed) { move(data.pool, data.account, -data.amount.units, data.amount.asset) }

    private mutating func move(_ pool: String, _ account: AccountID, _ units: Int128, _ asset: Asset) {
        guard pool == Self.pool else { return }
        let owner = String(account.owner)
        let bonded = max(0, stake(of: owner, in: asset).units + units)
        stakes[owner, default: [:]][asset] = bonded
    }
}
