public import Events
public import Money

/// What was used up with an API key, as the log tells.
public struct KeyUsage: Sendable, Hashable {
    /// Fees, by asset.
    public private(set) var spent: [Asset: Amount] = [:]
    /// The last day on which something was used, counted from 1970 in UTC.
    public private(set) var day: Int64 = 0
    /// Answers on that day.
    public private(set) var requests = 0
    /// Tokens of prompts and answers on that day.
    public private(set) var tokens = 0
    /// Fees on that day, by asset.
    public private(set) var spentOnDay: [Asset: Amount] = [:]

    /// Nothing yet.
    public init() {}

    /// The day of a moment.
    public static func day(_ time: Timestamp) -> Int64 { time.microseconds / 86_400_000_000 }

    /// Adds an answer.
    public mutating func add(_ inference: InferenceCompleted, at time: Timestamp) throws(MoneyError) {
        let fee = inference.fee
        spent[fee.asset] = try (spent[fee.asset] ?? .zero(fee.asset)).adding(fee)
        let today = Self.day(time)
        if today > day {
            day = today
            requests = 0
            tokens = 0
            spentOnDay = [:]
        }
        // What comes late from a day that is over counts in the sum alone.
        guard today == day else { return }
        requests += 1
        tokens += inference.inputTokens + inference.outputTokens
        spentOnDay[fee.asset] = try (spentOnDay[fee.asset] ?? .zero(fee.asset)).adding(fee)
    }
}
