/// What a generator may take at once.
public struct GeneratorLimits: Sendable, Equatable {
    /// Sequences answered at the same time; more wait in line.
    public var sequences = 64
    /// Requests that may wait in line; more are refused.
    public var waiting = 1024
    /// Prompt tokens read in one step, all sequences together: how long an answer in progress waits for a new prompt.
    public var promptTokensPerStep = 128
    /// Bytes of keys and values of running sequences.
    public var cacheBytes = 1 << 30
    /// Bytes of keys and values kept of ended sequences, to be taken up by prompts that begin the same under the same adapter.
    public var prefixBytes = 256 << 20

    /// The defaults.
    public init() {}

    func check() throws(EngineError) {
        guard (1...4096).contains(sequences) else { throw .badSetting("sequences must be in 1…4096") }
        guard (0...1_000_000).contains(waiting) else { throw .badSetting("waiting must be in 0…1000000") }
        guard (1...65_536).contains(promptTokensPerStep) else { throw .badSetting("promptTokensPerStep must be in 1…65536") }
        guard cacheBytes > 0, prefixBytes >= 0 else { throw .badSetting("cacheBytes must be above 0, prefixBytes not negative") }
    }
}
