/// What an adapter's `adapter_config.json` says (Hugging Face PEFT, `LoraConfig`).
public struct PEFTConfiguration: Sendable, Hashable {
    /// Rank of the factors (`r`).
    public var rank: Int
    /// `lora_alpha`.
    public var alpha: Double
    /// Whether the scale is alpha / √rank instead of alpha / rank (rsLoRA, arXiv 2312.03732).
    public var usesRankStabilisedScale: Bool
    /// The projections that are adapted, by the last part of their path (`q_proj`), sorted.
    public var targetModules: [String]
    /// Dropout during training; has no part in serving.
    public var dropout: Double
    /// The base model's name or path, as written.
    public var baseModel: String?
    /// The base model's revision, as written.
    public var baseRevision: String?

    /// A configuration by its parts.
    public init(
        rank: Int, alpha: Double, usesRankStabilisedScale: Bool = false, targetModules: [String], dropout: Double = 0,
        baseModel: String? = nil, baseRevision: String? = nil
    ) {
        self.rank = rank
        self.alpha = alpha
        self.usesRankStabilisedScale = usesRankStabilisedScale
        self.targetModules = targetModules.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.dropout = dropout
        self.baseModel = baseModel
        self.baseRevision = baseRevision
    }

    /// What B (A x) is multiplied by before it is added.
    public var scale: Double {
        usesRankStabilisedScale ? alpha / Double(rank).squareRoot() : alpha / Double(rank)
    }
}
