public import Money

/// What a job will cost: the tokens it will see, times a price.
public struct TrainingQuote: Sendable, Hashable {
    /// Tokens of all rows, times the epochs.
    public let tokens: Int
    /// What it costs.
    public let fee: Amount

    /// - Parameters:
    ///   - tokens: of the snapshots together.
    ///   - price: for a million tokens seen.
    public init(tokens: Int, epochs: Int, price: Amount) throws(MoneyError) {
        let seen = Int64(tokens).multipliedReportingOverflow(by: Int64(epochs))
        guard !seen.overflow else { throw .overflow(price.asset) }
        let product = try price.multiplied(by: seen.partialValue)
        self.tokens = Int(seen.partialValue)
        // Rounded up, so that no job is free because it is small.
        fee = Amount(try product.adding(Amount(999_999, price.asset)).units / 1_000_000, price.asset)
    }
}
