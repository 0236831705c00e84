public import JSON

/// Payouts were put into a file for a rail: no later one has them again.
public struct PayoutSent: EventData, Hashable {
    /// `payout.sent`.
    public static let type = "payout.sent"
    /// At most so many payouts are in one file.
    public static let maximumCount = 200

    /// The file's number, from 1 for each rail.
    public var batch: Int
    /// The rail.
    public var rail: String
    /// The payouts, in the order of their ids.
    public var payouts: [String]

    /// From its parts.
    public init(batch: Int, rail: String, payouts: [String]) {
        self.batch = batch
        self.rail = rail
        self.payouts = payouts
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["batch", "rail", "payouts"])
        batch = try fields.count("batch")
        rail = try fields.id("rail")
        payouts = try fields.ids("payouts", atMost: Self.maximumCount)
    }

    /// As it is written.
    public var json: JSONValue { .members(["batch": .count(batch), "payouts": .texts(payouts), "rail": .string(rail)]) }
}
