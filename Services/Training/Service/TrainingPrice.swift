internal import Money
internal import Telemetry

/// What fine-tuning costs here.
struct TrainingPrice: Sendable {
    /// For a million tokens seen.
    let perMillion: Amount

    /// `OPENLEDGER_TRAINING_PRICE`, such as `2.50 USDC/6`: for a million tokens seen.
    init(_ settings: Configuration) throws {
        let text = settings.string("TRAINING_PRICE", default: "1 USDC/6")
        let parts = text.split(separator: " ")
        guard parts.count == 2, let asset = try? Asset(String(parts[1])), let amount = try? Amount(decimal: String(parts[0]), asset) else {
            throw ConfigurationError(key: "OPENLEDGER_TRAINING_PRICE", expected: "an amount such as 2.50 USDC/6", found: text)
        }
        perMillion = amount
    }
}
