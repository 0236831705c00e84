internal import Events
public import Money

/// A settlement of a task that both sides signed.
public struct SettledTask: Sendable, Hashable {
    /// The task.
    public let task: String
    /// Who wanted it.
    public let client: String
    /// Who stands behind the money: the payer's owner, or the payer itself.
    public let house: String
    /// Who did it.
    public let provider: String
    /// Billing's settlement.
    public let settlement: String
    /// What the provider's house got of it, less what went back.
    public internal(set) var amount: Amount
    /// Where the completion, the settlement and each refund stand in the log.
    public internal(set) var positions: [UInt64]
    /// What was settled in all, and what of it the provider's house got at first.
    let fee: Amount
    let own: Int128
}

extension EconomyState {
    mutating func settle(_ data: SettlementPosted, at position: UInt64) throws {
        guard data.kind == "task", let done = completions.removeValue(forKey: data.reference) else { return }
        let (house, provider) = (house(of: done.payer), self.house(of: done.provider))
        if done.payouts.isEmpty || !data.fee.isPositive { return }
        let parts = try data.fee.split(by: done.payouts.map { UInt128($0.amount.units) })
        var own: Int128 = 0
        for (payout, part) in zip(done.payouts, parts) {
            flow(done.payer, String(payout.account.owner), part, at: position)
            if self.house(of: String(payout.account.owner)) == provider { own += part.units }
        }
        // Who pays themselves, by whomever's hand, earns money, not a name; and what somebody passes on is others' name.
        guard done.isCountersigned, house != provider, self.house(of: done.client) != provider, own > 0 else { return }
        nameChanges += 1
        settledPlaces[data.id] = settledTasks.count
        settledTasks.append(
            SettledTask(
                task: done.task, client: done.client, house: house, provider: done.provider, settlement: data.id,
                amount: Amount(own, data.fee.asset),
                positions: [UInt64(data.position), position], fee: data.fee, own: own))
    }

    /// Money went from one to another, for whatever.
    mutating func flow(_ from: String, _ to: String, _ amount: Amount, at position: UInt64?) {
        let (payer, payee) = (house(of: from), house(of: to))
        if payer == payee { return }
        nameChanges += 1
        flows[amount.asset, default: [:]][payer, default: [:]][payee, default: Flow()].add(amount.units, at: position)
    }

    mutating func giveBack(_ settlement: String, _ amount: Amount, at position: UInt64) throws {
        guard let place = settledPlaces[settlement], settledTasks[place].fee.asset == amount.asset else { return }
        let task = settledTasks[place]
        // It flows back along the same split, as far as that concerns a name: what the provider's house had of it.
        guard let part = try amount.split(by: [UInt128(task.own), UInt128(task.fee.units - task.own)]).first else { return }
        nameChanges += 1
        settledTasks[place].amount = Amount(max(0, task.amount.units - part.units), amount.asset)
        settledTasks[place].positions.append(position)
        flow(task.house, task.provider, Amount(-part.units, amount.asset), at: position)
    }

    /// What a principal's settled work says of it, still to be reckoned.
    public func standing(of provider: String) -> Standing {
        let tasks = settledTasks.filter { $0.provider == provider && $0.amount.isPositive }
        let assets = Set(tasks.map(\.amount.asset))
        return Standing(
            house: house(of: provider), tasks: tasks, flows: flows.filter { assets.contains($0.key) },
            verified: Set(tasks.map(\.house).filter { parties[$0]?.isVerified ?? false }))
    }

    /// What a principal's settled work says of it.
    public func reputation(of provider: String) -> [Reputation] { standing(of: provider).reputations }
}

/// What one house paid another in all, less what was refunded, and where that stands on the log.
struct Flow: Sendable {
    private(set) var units: Int128 = 0
    private(set) var positions: [UInt64] = []

    mutating func add(_ units: Int128, at position: UInt64?) {
        self.units += units
        if let position { positions.append(position) }
    }
}

/// Money that one house paid another and that can have been part of a round: what a name was lessened by.
public struct WayRound: Sendable, Hashable {
    /// The house that paid.
    public let from: String
    /// The house that was paid.
    public let to: String
    /// What of it is taken for part of the round.
    public let amount: Amount
    /// Where the payments from the one to the other stand on the log, refunds too.
    public let positions: [UInt64]
}

/// Of whose work and whose payments a name is made. Reckoning takes a while where many pay many, and is not the decider's to wait for.
public struct Standing: Sendable {
    let house: String
    let tasks: [SettledTask]
    let flows: [Asset: [String: [String: Flow]]]
    /// Those of the clients' houses that have proven who they are.
    let verified: Set<String>

    /// The names, by asset.
    public var reputations: [Reputation] {
        Dictionary(grouping: tasks, by: \.amount.asset).sorted { $0.key < $1.key }.map { asset, tasks in
            var clients: [String: Int128] = [:]
            for task in tasks { clients[task.house, default: 0] += task.amount.units }
            let flows = flows[asset] ?? [:]
            let returned = Circulation(paid: flows.mapValues { $0.mapValues(\.units) }).returned(from: house, to: clients)
            let ways = returned.ways.map { way in
                WayRound(
                    from: way.from, to: way.to, amount: Amount(way.units, asset), positions: flows[way.from]?[way.to]?.positions ?? [])
            }
            return Reputation(asset, tasks, paidBack: returned.byClient, ways) { verified.contains($0) }
        }
    }
}

/// A principal's name in one asset: what it was paid for work that both sides signed and that was settled, and by how many.
///
/// The score is the square of the sum of the square roots of what each client's house paid, less what came back to it from the provider's
/// house, straight or over others, in whatever way is known here: for work, signed or not, and by signed payments (``Circulation``). Money
/// of one house counts once; the same money from n houses counts n times. Houses that have proven nothing of who they are count as one
/// together: whoever wants to be many has to be verified as often. So a hundred agents of one owner are one, a hundred owners made up
/// overnight are one, and money that goes round is none.
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
    /// What went round, pair by pair: it is taken off what the clients paid.
    public let wentRound: [WayRound]

    init(
        _ asset: Asset, _ tasks: [SettledTask], paidBack: [String: Int128], _ wentRound: [WayRound], isVerified: (String) -> Bool
    ) {
        self.asset = asset
        self.tasks = tasks
        self.wentRound = wentRound
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
