public import Events
public import Money

/// What a payer wants to be told of, and has been.
public struct Budget: Sendable, Hashable {
    /// Of a month.
    public let amount: Amount
    /// Basis points of it, rising.
    public let thresholds: [Int]
    /// The month of the last telling, counted from year 0.
    var month = 0
    /// The highest threshold that was told of in that month; 0 for none.
    var told = 0

    /// The highest threshold that so much crosses; 0 for none.
    func crossed(by units: Int128) -> Int {
        thresholds.last { threshold in
            let (parts, overflow) = amount.units.multipliedReportingOverflow(by: Int128(threshold))
            guard !overflow else { return false }
            // As a division, so that a great amount cannot overflow on the other side.
            return units >= parts / 10_000 + (parts % 10_000 == 0 ? 0 : 1)
        } ?? 0
    }
}

/// Fees that an account was charged in the month of the last one.
struct MonthlyCharges: Sendable, Hashable {
    /// Counted from year 0: 12 × year + month − 1.
    var month: Int
    var units: Int128
}

/// How a budget stands.
public struct BudgetStanding: Sendable, Hashable {
    /// What is wanted.
    public let budget: Budget
    /// The month, `2026-11`.
    public let period: String
    /// The fees of the month.
    public let spent: Amount
    /// The highest threshold that was told of; 0 for none.
    public let told: Int
}

extension BillingState {
    /// Says at which parts of an amount a payer wants to be told of a month's fees. An amount of zero ends it.
    public func setBudget(of account: AccountID, _ amount: Amount, thresholds: [Int]) throws(BillingError) -> Decision {
        guard account.accountKind == .payer else { throw .wrongKind(account, reason: "is charged no fees: only payers have budgets") }
        guard journal.account(account, amount.asset) != nil else { throw .unknownAccount(account, amount.asset) }
        guard !amount.isNegative else { throw .notPositive("a budget") }
        guard amount.isZero == thresholds.isEmpty else {
            throw .invalid(field: "thresholds", reason: "must be there for a budget, and none for an amount of zero, which ends it")
        }
        var last = 0
        for threshold in thresholds {
            guard threshold > last, threshold <= 100_000 else {
                throw .invalid(field: "thresholds", reason: "must rise, from 1 to 100,000 basis points")
            }
            last = threshold
        }
        guard !amount.units.multipliedReportingOverflow(by: Int128(max(1, last))).overflow else { throw .money(.overflow(amount.asset)) }
        return Decision(.budgetSet(BudgetSet(account: account, budget: amount, thresholds: thresholds)))
    }

    /// How a payer's budgets stand at a moment, by asset.
    public func budgets(of account: AccountID, now: Timestamp) -> [BudgetStanding] {
        let month = now.month
        return budgets.filter { journal.accounts[$0.key].id == account }.sorted { $0.value.amount.asset < $1.value.amount.asset }
            .map { place, budget in
                let charges = monthly[place]
                // A month without a fee has begun anew.
                let isNow = (charges?.month ?? 0) >= month
                return BudgetStanding(
                    budget: budget, period: Self.period(month: isNow ? charges?.month ?? month : month),
                    spent: Amount(isNow ? charges?.units ?? 0 : 0, budget.amount.asset),
                    told: isNow && budget.month == charges?.month ? budget.told : 0)
            }
    }

    mutating func apply(_ data: BudgetSet) throws(BillingFault) {
        guard let place = journal.place(data.account, data.budget.asset) else {
            throw BillingFault(BudgetSet.type, data.account.text, "has no account in \(data.budget.asset)")
        }
        budgets[place] = data.budget.isZero ? nil : Budget(amount: data.budget, thresholds: data.thresholds)
        lookAtBudget(place)
    }

    /// Counts a fee, and sees whether somebody is to be told.
    mutating func charged(_ place: Int, _ units: Int128, at time: Timestamp) {
        let month = time.month
        var charges = monthly[place] ?? MonthlyCharges(month: month, units: 0)
        // A fee of last month that comes late counts in this one.
        if month > charges.month { charges = MonthlyCharges(month: month, units: 0) }
        let (sum, overflow) = charges.units.addingReportingOverflow(units)
        charges.units = overflow ? .max : sum
        monthly[place] = charges
        if !budgets.isEmpty { lookAtBudget(place) }
    }

    private mutating func lookAtBudget(_ place: Int) {
        if alert(place) != nil { budgetsDue.insert(place) } else { budgetsDue.remove(place) }
    }

    /// What is to be told of an account's budget; nil for nothing new.
    func alert(_ place: Int) -> BudgetAlerted? {
        guard let budget = budgets[place], let charges = monthly[place] else { return nil }
        let crossed = budget.crossed(by: charges.units)
        guard crossed > (budget.month == charges.month ? budget.told : 0) else { return nil }
        return BudgetAlerted(
            account: journal.accounts[place].id, period: Self.period(month: charges.month), threshold: crossed,
            spent: Amount(charges.units, budget.amount.asset), budget: budget.amount)
    }

    mutating func apply(_ data: BudgetAlerted) throws(BillingFault) {
        guard let place = journal.place(data.account, data.budget.asset), alert(place) == data, let month = monthly[place]?.month else {
            throw BillingFault(BudgetAlerted.type, data.account.text, "tells what is not so, or was told before")
        }
        budgets[place]?.month = month
        budgets[place]?.told = data.threshold
        budgetsDue.remove(place)
    }

    /// The alerts that are due, in the order of the accounts.
    func dueAlerts(limit: Int) -> [BillingEvent] { budgetsDue.sorted().prefix(limit).compactMap { alert($0).map { .budgetAlerted($0) } } }

    private static func period(month: Int) -> String {
        let (year, number) = (String(month / 12), String(month % 12 + 1))
        return String(repeating: "0", count: 4 - min(4, year.count)) + year + "-" + (number.count == 1 ? "0" : "") + number
    }
}

extension Timestamp {
    /// The month in UTC, counted from year 0: 12 × year + month − 1. By Howard Hinnant's algorithm for civil dates.
    var month: Int {
        let day = Int((microseconds - (microseconds < 0 ? 86_399_999_999 : 0)) / 86_400_000_000) + 719_468
        let era = (day >= 0 ? day : day - 146_096) / 146_097
        let dayOfEra = day - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // Counted from March.
        let month = (5 * dayOfYear + 2) / 153
        return (yearOfEra + era * 400) * 12 + month + 2
    }
}
