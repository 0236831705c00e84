public import Events
internal import Money

/// What an agent may spend of somebody's money, and what of it is taken.
public struct Mandate: Sendable {
    /// Its id.
    public let id: String
    /// The tree's first mandate.
    public let root: String
    /// The mandate above it.
    public let parent: String?
    /// How many are above it.
    public let depth: Int
    /// Who granted it.
    public let grantor: String
    /// Who may spend.
    public let agent: String
    /// Whose money.
    public let payer: String
    /// The limits.
    public let terms: MandateTerms
    /// Mandates that hang on it, dead ones too.
    public internal(set) var children: [String] = []
    /// Why it ended; nil while it has not. A mandate above it may have ended without it.
    public internal(set) var ended: String?
    /// Units that live mandates below it have carved out of it, whatever the period.
    public internal(set) var carved: Int128 = 0
    /// The period that ``used`` belongs to.
    var window: Int64 = .min
    /// Units authorised or spent in that period, by itself and, where nothing was carved for them, by those below it.
    private var usedThen: Int128 = 0
    /// Payments in the recurrence's present interval.
    private var interval: Int64 = .min
    private var paymentsThen = 0
    /// Payments in all.
    private(set) var payments = 0
    /// Its own authorisations that run.
    var running: Set<String> = []

    init(_ granted: MandateGranted, depth: Int) {
        id = granted.mandate
        root = granted.root
        parent = granted.parent
        self.depth = depth
        grantor = granted.grantor
        agent = granted.agent
        payer = granted.payer
        terms = granted.terms
    }

    /// Units that count in a period.
    public func used(in window: Int64) -> Int128 { window == self.window ? usedThen : 0 }

    /// Units that can still be spent or carved out in a period.
    public func free(in window: Int64) -> Int128 { terms.budget.units - carved - used(in: window) }

    mutating func add(_ units: Int128, in window: Int64) {
        if window > self.window {
            self.window = window
            usedThen = 0
        }
        if window == self.window { usedThen += units }
    }

    /// Payments within an interval.
    func payments(in interval: Int64) -> Int { interval <= self.interval ? paymentsThen : 0 }

    mutating func count(in interval: Int64) {
        if interval > self.interval {
            self.interval = interval
            paymentsThen = 0
        }
        paymentsThen += 1
        payments += 1
    }
}

/// A payment that was authorised.
public struct Authorization: Sendable {
    /// What was decided.
    public let data: MandateAuthorized
    /// The period that it counts in.
    let window: Int64
}

/// A request for a human's word.
public struct Approval: Sendable {
    /// What is asked for.
    public let request: ApprovalRequested
    /// The answer, when it was yes.
    public internal(set) var granted: ApprovalDecided?
}

/// Periods, counted in UTC from 1970. Weeks and fortnights begin on Monday.
public enum MandatePeriod {
    /// What a budget's period may be.
    public static let all: Set<String> = ["once", "hour", "day", "week", "month"]
    /// What a recurrence's interval may be.
    public static let intervals: Set<String> = ["once", "hour", "day", "week", "fortnight", "month", "quarter", "year"]

    /// The number of the period that a moment lies in; every moment lies in the one period of `once`.
    public static func number(of time: Timestamp, _ period: String) -> Int64 {
        let hours = time.microseconds / 3_600_000_000
        switch period {
        case "hour": return hours
        case "day": return hours / 24
        // 1 January 1970 was a Thursday.
        case "week": return (hours / 24 + 3) / 7
        case "fortnight": return (hours / 24 + 3) / 14
        case "month", "quarter", "year":
            let text = time.description
            guard let year = Int64(text.prefix(4)), let month = Int64(text.dropFirst(5).prefix(2)) else { return 0 }
            return period == "month" ? year * 12 + month : period == "year" ? year : year * 4 + (month - 1) / 3
        default: return 0
        }
    }
}
