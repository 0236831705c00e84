internal import Events
public import JSON

/// How a job learns. The five that people set are the epochs, the learning rate, the batch, the rank and the seed; the rest has
/// values that fit small models.
///
/// All are whole numbers, so that their canonical JSON, and with it the job's record, is the same everywhere.
public struct TrainingSettings: Sendable, Hashable {
    /// Times that every row is seen, from 1 to 100.
    public var epochs = 3
    /// Step width in millionths, from 1 to 100,000.
    public var learningRate = 2_000
    /// Rows of one optimiser step, from 1 to 1,024.
    public var batch = 8
    /// Rank of the adapter's matrices, from 1 to 256.
    public var rank = 8
    /// What randomness begins with.
    public var seed = 1
    /// LoRA's alpha, from 1 to 1,024: the adapter's output is scaled by alpha over rank.
    public var alpha = 16
    /// The linear layers that get an adapter.
    public var targets = TrainingSettings.layers
    /// Optimiser steps over which the step width grows from nothing.
    public var warmup = 10
    /// Most tokens of a row; longer rows are cut, and the job says how many were.
    public var maximumTokens = 256
    /// Rows in a hundred that are held out to measure with, from 0 to 50.
    public var holdout = 5
    /// Optimiser steps between checkpoints.
    public var checkpointEvery = 50

    /// The linear layers that there are.
    static let layers = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

    /// The forms of a base that an adapter may learn over.
    static let precisions = ["float32", "int8", "nf4"]

    /// Whether each pair is learned a second time with passages before it, its own among them, so that the model learns to use what
    /// is looked up for it (RAFT, arXiv 2403.10131).
    public var passages = false

    /// How the base model's matrices are kept while the adapter learns: `float32`; `int8`, which takes a quarter of the memory; or `nf4`, QLoRA's
    /// four bits, which runners with bitsandbytes can do.
    public var precision = "float32"

    /// What few people set.
    public var advanced = AdvancedSettings()

    /// What a runner must be able to do besides.
    public var needs: [String] { precision == "float32" ? [] : [precision] }

    /// What is taken when nothing is said.
    public init() {}

    /// Reads what a caller set; the rest keeps its value.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: Self.keys)
        if let value = try fields.optionalInt("epochs", in: 1...100) { epochs = value }
        if let value = try fields.optionalInt("learning_rate", in: 1...100_000) { learningRate = value }
        if let value = try fields.optionalInt("batch", in: 1...1_024) { batch = value }
        if let value = try fields.optionalInt("rank", in: 1...256) { rank = value }
        if let value = try fields.optionalInt("seed", in: 0...Int(Int32.max)) { seed = value }
        if let value = try fields.optionalInt("alpha", in: 1...1_024) { alpha = value }
        if let list = try fields.optionalArray("targets", count: 1...16) {
            targets = []
            for entry in list {
                let name = try entry.string(bytes: 1...64)
                guard Self.layers.contains(name) else {
                    throw entry.error("is no linear layer of this family: \(Self.layers.joined(separator: ", "))")
                }
                targets.append(name)
            }
        }
        if let value = try fields.optionalInt("warmup", in: 0...100_000) { warmup = value }
        if let value = try fields.optionalInt("maximum_tokens", in: 8...8_192) { maximumTokens = value }
        if let value = try fields.optionalInt("holdout", in: 0...50) { holdout = value }
        if let value = try fields.optionalInt("checkpoint_every", in: 1...100_000) { checkpointEvery = value }
        if let value = try fields.optionalBool("passages") { passages = value }
        if let value = try fields.optionalString("precision") {
            guard Self.precisions.contains(value) else {
                throw try fields.field("precision").error("must be one of " + Self.precisions.joined(separator: ", "))
            }
            precision = value
        }
        if let object = try fields.optionalObject("advanced") { advanced = try AdvancedSettings(object) }
    }

    private static let keys = [
        "epochs", "learning_rate", "batch", "rank", "seed", "alpha", "targets", "warmup", "maximum_tokens", "holdout",
        "checkpoint_every", "passages", "precision", "advanced",
    ]

    /// All of them, as they stand in the evidence store.
    public var json: JSONValue {
        .members([
            "epochs": .int(Int64(epochs)), "learning_rate": .int(Int64(learningRate)), "batch": .int(Int64(batch)),
            "rank": .int(Int64(rank)), "seed": .int(Int64(seed)), "alpha": .int(Int64(alpha)),
            "targets": .array(targets.map { .string($0) }), "warmup": .int(Int64(warmup)),
            "maximum_tokens": .int(Int64(maximumTokens)), "holdout": .int(Int64(holdout)),
            "checkpoint_every": .int(Int64(checkpointEvery)), "passages": .bool(passages),
            // What came later stands only where it is not as it always was: settings keep their hash.
            "precision": precision == "float32" ? nil : .string(precision),
            "advanced": advanced.json,
        ])
    }
}
