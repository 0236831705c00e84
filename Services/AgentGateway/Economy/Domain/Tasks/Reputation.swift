internal import Events
public import Money

/// A settlement of a task that both sides signed.
public struct SettledTask: Sendable, Hashable {
    /// The task.
    public let task: String
    /// Who wanted it, and who stands behind them.
    public let client: String
    /// The client's owner, or the client itself.
    public let house: String
    /// Who did it.
    public let provider: String
    /// Billing's settlement.
    public let settlement: String
    /// What was paid, less what went back.
    public internal(set) var amount: Amount
    /// Where the completion, the settlement and each refund stand in the log.
    public internal(set) var positions: [UInt64]
}

extension EconomyState {
    mutating func settle(_ data: SettlementPosted, at position: UInt64) throws {
        guard data.kind == "task", let done = completions.removeValue(forKey: data.reference) else { return }
        let house = house(of: done.client)
        guard done.isCountersigned else { return flow(done.client, done.provider, data.fee) }
        // Who pays themselves earns money, not a name.
        guard house != self.house(of: done.provider) else { return }
        settledPlaces[data.id] = settledTasks.count
        settledTasks.append(
            SettledTask(
                task: done.task, client: done.client, house: house, provider: done.provider, settlement: data.id, amount: data.fee,
                positions: [UInt64(data.position), position]))
    }

    /// Money went from one to another, for whatever.
    mutating func flow(_ from: String, _ to: String, _ amount: Amount) {
        let (payer, payee) = (house(of: from), house(of: to))
        flows[payer, default: [:]][amount.asset, default: [:]][payee, default: 0] += amount.units
    }

    mutating func giveBack(_ settlement: String, _ amount: Amount, at position: UInt64) {
        guard let place = settledPlaces[settlement], settledTasks[place].amount.asset == amount.asset else { return }
        settledTasks[place].amount = Amount(settledTasks[place].amount.units - amount.units, amount.asset)
        settledTasks[place].positions.append(position)
    }

    /// What a principal's settled work says of it.
    public func reputation(of provider: String) -> [Reputation] {
        let own = house(of: provider)
        var byAsset: [Asset: [SettledTask]] = [:]
        // What the provider's house paid to others, for their work or otherwise: money that goes round makes no name.
        var paidBack = flows[own] ?? [:]
        for task in settledTasks where task.amount.isPositive {
            if task.provider == provider { byAsset[task.amount.asset, default: []].append(task) }
            if task.house == own { paidBack[task.amount.asset, default: [:]][house(of: task.provider), default: 0] += task.amount.units }
        }
        return byAsset.keys.sorted().map { asset in
            Reputation(asset, byAsset[asset] ?? [], paidBack: paidBack[asset] ?? [:]) { parties[$0]?.isVerified ?? false }
        }
    }
}

/// A principal's name in one asset: what it was paid for work that both sides signed and that was settled, and by how many.
///
/// The score is the square of the sum of the square roots of what each client's house paid, less what the provider's house paid it in whatever way
/// is known here: for work, signed or not, and by signed payments. Money
/// of one house counts once; the same money from n houses counts n times. Houses that have proven nothing of who they are count as one
/// together: whoever wants to be many has to be verified as often. So a hundred agents of one owner are one, a hundred owners made up
/// overnight are one, and money that comes back to who paid it is none.
public struct Reputation: Sendable, Hashable {
    /// The asset.
    public let asset: Asset
    /// What was paid in all.
    public let total: Amount
    /// How many different houses paid more than they got: verified ones, and one for all others together.
    public let counterparties: Int
    /// The score, in the asset's minor units.
    public let score: Int128
    /// The tasks, in the log's order.
    public let tasks: [SettledTask]

    init(_ asset: Asset, _ tasks: [SettledTask], paidBack: [String: Int128], isVerified: (String) -> Bool) {
        self.asset = asset
        self.tasks = tasks
        total = Amount(tasks.reduce(0) { $0 + $1.amount.units }, asset)
        var byHouse: [String: Int128] = [:]
        for task in tasks { byHouse[task.house, default: 0] += task.amount.units }
        var stakes: [Int128] = []
        var others: Int128 = 0
        for (house, paid) in byHouse {
            let stake = paid - (paidBack[house] ?? 0)
            if stake <= 0 { continue }
            if isVerified(house) { stakes.append(stake) } else { others += stake }
        }
        if others > 0 { stakes.append(others) }
        counterparties = stakes.count
        // Roots of millionfold amounts are good to a thousandth of a minor unit's root, in integers.
        let roots = stakes.reduce(Int128(0)) { $0 + Self.root($1 * 1_000_000) }
        score = (roots * roots + 500_000) / 1_000_000
    }

    /// The whole part of a square root.
    static func root(_ value: Int128) -> Int128 {
        guard value > 1 else { return max(0, value) }
        var guess = Int128(1) << Int128((128 - value.leadingZeroBitCount + 1) / 2)
        while true {
            let next = (guess + value / guess) / 2
            if next >= guess { return guess }
            guess = next
        }
    }
}
