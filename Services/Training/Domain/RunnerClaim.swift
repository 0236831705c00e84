public import JSON

/// What a runner says of its own work, in the record that it hands in.
public enum RunnerClaim {
    /// The loss in millionths on the rows that are held out, at the end; nil when it claims none.
    public static func loss(_ record: JSONValue) -> Int? {
        guard let micros = record["evaluations"]?.arrayValue?.last?["holdout_loss_micros"]?.intValue, micros >= 0 else { return nil }
        return Int(micros)
    }

    /// Whether it says itself that nothing was gained on the first measurement, which is the base's.
    public static func gainsNothing(_ record: JSONValue) -> Bool {
        guard let looks = record["evaluations"]?.arrayValue, looks.count > 1, let last = loss(record),
            let first = looks.first?["holdout_loss_micros"]?.intValue
        else { return false }
        return last >= Int(first)
    }

    /// Whether the house's engine can do it again, bit for bit.
    public static func isRepeatable(_ record: JSONValue) -> Bool { engine(record)?.hasPrefix("openledger-engine/") ?? false }

    /// What computed it.
    public static func engine(_ record: JSONValue) -> String? { record["engine"]?.stringValue }
}
