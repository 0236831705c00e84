/// The form of a new adapter (LoRA, arXiv 2106.09685): `y = W x + (alpha / rank) · B A x`.
public struct LoRAOptions: Sendable, Equatable {
    /// Rows of A and columns of B.
    public var rank = 8
    /// The factor before B A x is `alpha / rank`.
    public var alpha: Float = 16
    /// The linear layers of every block that get an adapter.
    public var modules = Set(LinearModule.allCases)

    /// Rank 8, alpha 16, every linear layer.
    public init() {}

    /// A form of these sizes.
    public init(rank: Int, alpha: Float, modules: Set<LinearModule> = Set(LinearModule.allCases)) {
        self.rank = rank
        self.alpha = alpha
        self.modules = modules
    }

    /// Refuses ranks and factors that cannot mean anything.
    public func check() throws(EngineError) {
        guard (1...512).contains(rank) else { throw .badSetting("rank must be in 1…512") }
        guard alpha.isFinite, alpha > 0 else { throw .badSetting("alpha must be above 0") }
        guard !modules.isEmpty else { throw .badSetting("modules: name at least one linear layer") }
    }
}
