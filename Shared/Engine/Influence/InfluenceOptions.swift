/// How curvature is measured.
public struct InfluenceOptions: Sendable, Equatable {
    /// Share of the mean eigenvalue that is added to each (between 0.01 and 0.3 the scores hardly change).
    public var damping: Float = 0.1
    /// Times that labels are sampled for every row.
    public var labelSamples = 1
    /// Decides the sampled labels.
    public var seed: UInt64 = 1
    /// Into how many sums the moments are split; fixes the order of summation and so the bytes, and costs memory.
    public var shards = 2
    /// Bytes that factors and workspaces may take.
    public var memoryLimit = 8 << 30

    /// The defaults.
    public init() {}

    func check() throws(EngineError) {
        guard damping.isFinite, damping > 0, damping <= 10 else { throw .badSetting("damping must be above 0, at most 10") }
        guard (1...64).contains(labelSamples) else { throw .badSetting("labelSamples must be in 1…64") }
        guard (1...64).contains(shards) else { throw .badSetting("shards must be in 1…64") }
    }
}
