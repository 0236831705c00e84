internal import Events
public import JSON

/// What few people set of how a job learns. Whole numbers, as all settings are.
public struct AdvancedSettings: Sendable, Hashable {
    /// Evaluations without a better loss on the held-out rows after which training stops with the best it had, from 1 to 1,000; nil: it goes
    /// on to the end.
    public var patience: Int?
    /// How the step width falls after the warm-up: `cosine`, `linear` or `constant`.
    public var schedule = "cosine"
    /// What is left of the step width at the end of `cosine`, in a hundred, from 0 to 100.
    public var minimumRate = 10
    /// AdamW's decay in millionths, from 0 to 1,000,000.
    public var weightDecay = 0
    /// The length in millionths above which a step's gradient is shortened, up to 10^9; 0: never.
    public var clip = 1_000_000

    /// What is taken when nothing is said.
    public init() {}

    /// Reads what a caller set; the rest keeps its value.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["patience", "schedule", "minimum_rate", "weight_decay", "clip"])
        patience = try fields.optionalInt("patience", in: 1...1_000)
        if let value = try fields.optionalString("schedule") {
            guard ["cosine", "linear", "constant"].contains(value) else {
                throw try fields.field("schedule").error("must be cosine, linear or constant")
            }
            schedule = value
        }
        if let value = try fields.optionalInt("minimum_rate", in: 0...100) { minimumRate = value }
        if let value = try fields.optionalInt("weight_decay", in: 0...1_000_000) { weightDecay = value }
        if let value = try fields.optionalInt("clip", in: 0...1_000_000_000) { clip = value }
    }

    /// As they stand among the settings; nil where nothing was set otherwise.
    var json: JSONValue? {
        guard self != AdvancedSettings() else { return nil }
        return .members([
            "patience": patience.map { .int(Int64($0)) }, "schedule": .string(schedule), "minimum_rate": .int(Int64(minimumRate)),
            "weight_decay": .int(Int64(weightDecay)), "clip": .int(Int64(clip)),
        ])
    }
}
