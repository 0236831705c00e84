public import Events
public import Money

/// All accounts and their balances. Its one way to change is a set of entries that adds up to zero for each asset and breaks
/// no limit; it is applied as a whole or not at all.
public struct Journal: Sendable {
    /// An account in one asset.
    public struct Account: Sendable {
        /// Its name.
        public let id: AccountID
        /// Its asset.
        public let asset: Asset
        /// What it has.
        public internal(set) var balance: Int128 = 0
        /// What is reserved by holds.
        public internal(set) var held: Int128 = 0
        /// The least its balance less holds may be; nil for no such limit.
        public internal(set) var floor: Int128?
        /// The most that deposits and transfers may bring its balance to; nil for no such limit.
        public internal(set) var ceiling: Int128?
        /// How many entries it has had.
        public internal(set) var entries: UInt64 = 0

        /// What can be taken from it.
        public var available: Int128 {
            guard let floor else { return Int128.max }
            let (free, overflow) = balance.subtractingReportingOverflow(held)
            guard !overflow else { return 0 }
            let (rest, beyond) = free.subtractingReportingOverflow(floor)
            return beyond ? Int128.max : rest
        }
    }

    struct Key: Hashable, Sendable {
        let id: AccountID
        let asset: Asset
    }

    /// The accounts in the order in which they were opened. An account keeps its place.
    public private(set) var accounts: [Account] = []
    private var places: [Key: Int] = [:]
    /// The assets that there are, in the order in which they came.
    private var assets: [Asset] = []

    /// No accounts.
    public init() {}

    /// Where an account stands in ``accounts``.
    public func place(_ id: AccountID, _ asset: Asset) -> Int? { places[Key(id: id, asset: asset)] }

    /// An account in all its assets, in the order in which they were opened.
    public func all(_ id: AccountID) -> [Account] { assets.compactMap { account(id, $0) } }

    /// An account.
    public func account(_ id: AccountID, _ asset: Asset) -> Account? { place(id, asset).map { accounts[$0] } }

    /// What can be taken from an account; zero when it is not there.
    public func available(_ id: AccountID, _ asset: Asset) -> Amount { Amount(account(id, asset)?.available ?? 0, asset) }

    /// The sum of all balances in each asset: zero, always.
    public func totals() throws(MoneyError) -> [Asset: Amount] {
        var totals: [Asset: Amount] = [:]
        for account in accounts {
            totals[account.asset] = try (totals[account.asset] ?? .zero(account.asset)).adding(Amount(account.balance, account.asset))
        }
        return totals
    }

    /// Opens an account, or finds the one that is there.
    @discardableResult
    mutating func open(_ id: AccountID, _ asset: Asset) -> Int {
        let key = Key(id: id, asset: asset)
        if let place = places[key] { return place }
        var account = Account(id: id, asset: asset)
        account.floor = id.accountKind?.isUnbounded == true ? nil : 0
        accounts.append(account)
        places[key] = accounts.count - 1
        if !assets.contains(asset) { assets.append(asset) }
        return accounts.count - 1
    }

    mutating func setLimits(_ place: Int, floor: Int128, ceiling: Int128?) {
        accounts[place].floor = floor
        accounts[place].ceiling = ceiling
    }

    /// Reserves so much more, or less when negative.
    mutating func hold(_ place: Int, _ units: Int128) { accounts[place].held += units }

    /// Whether the entries may be applied.
    /// - Parameter freed: how much less each account's holds will be by then.
    func check(_ postings: [Posting], freed: [Int: Int128] = [:]) throws(BillingError) { _ = try changes(postings, freed: freed) }

    /// What entries change: for each the account's place, nil for one that is not there yet.
    private func changes(_ postings: [Posting], freed: [Int: Int128]) throws(BillingError) -> [Int?] {
        var sums: [(asset: Asset, sum: Int128)] = []
        var found: [Int?] = []
        found.reserveCapacity(postings.count)
        var isRising = true
        for (index, posting) in postings.enumerated() {
            let asset = posting.amount.asset
            guard !posting.amount.isZero else { throw .notPositive("an entry of \(posting.account)") }
            let place = places[Key(id: posting.account, asset: asset)]
            // What is there is of a kind.
            guard place != nil || posting.account.accountKind != nil else {
                throw .wrongKind(posting.account, reason: "is of no kind that there is")
            }
            if let known = sums.firstIndex(where: { $0.asset == asset }) {
                try Self.add(posting.amount.units, to: &sums[known].sum, asset)
            } else {
                sums.append((asset, posting.amount.units))
            }
            if index > 0, !(postings[index - 1].account < posting.account) { isRising = false }
            found.append(place)
        }
        for (asset, sum) in sums where sum != 0 { throw .unbalanced(asset) }
        // In the order of their names no account comes twice; else what each is changed by is added up.
        if isRising {
            for (index, posting) in postings.enumerated() {
                try check(posting.amount.units, of: posting.account, posting.amount.asset, at: found[index], freed: freed)
            }
        } else {
            var changes: [Key: Int128] = [:]
            for posting in postings {
                let key = Key(id: posting.account, asset: posting.amount.asset)
                try Self.add(posting.amount.units, to: &changes[key, default: 0], key.asset)
            }
            for (index, posting) in postings.enumerated() {
                guard let change = changes.removeValue(forKey: Key(id: posting.account, asset: posting.amount.asset)) else { continue }
                try check(change, of: posting.account, posting.amount.asset, at: found[index], freed: freed)
            }
        }
        return found
    }

    /// Throws unless an account, there or not, can be changed by so much.
    private func check(_ change: Int128, of id: AccountID, _ asset: Asset, at place: Int?, freed: [Int: Int128]) throws(BillingError) {
        guard let place else {
            if change < 0, id.accountKind?.isUnbounded != true { throw .unknownAccount(id, asset) }
            return
        }
        if change < 0 {
            let free = accounts[place].available
            let (more, overflow) = free.addingReportingOverflow(freed[place] ?? 0)
            guard change != .min, -change <= (overflow ? Int128.max : more) else {
                throw .insufficient(id, wanted: Amount(change == .min ? .max : -change, asset), available: Amount(free, asset))
            }
        }
        var balance = accounts[place].balance
        try Self.add(change, to: &balance, asset)
    }

    /// Checks and applies the entries.
    mutating func post(_ postings: [Posting], freed: [Int: Int128] = [:]) throws(BillingError) {
        let found = try changes(postings, freed: freed)
        for (index, posting) in postings.enumerated() {
            let place = found[index] ?? open(posting.account, posting.amount.asset)
            accounts[place].balance += posting.amount.units
            accounts[place].entries += 1
        }
    }

    private static func add(_ units: Int128, to sum: inout Int128, _ asset: Asset) throws(BillingError) {
        let (next, overflow) = sum.addingReportingOverflow(units)
        if overflow { throw .money(.overflow(asset)) }
        sum = next
    }
}
