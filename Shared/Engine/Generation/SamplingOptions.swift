/// How the next token is chosen from the model's logits.
public struct SamplingOptions: Sendable, Equatable {
    /// Logits are divided by it; 0 takes the most likely token.
    public var temperature: Float = 1
    /// Keeps the smallest set of tokens whose probabilities reach this sum; 1: all, 0: the most likely one.
    public var topP: Float = 1
    /// Keeps this many of the most likely tokens; 0: all.
    public var topK = 0
    /// Divides the positive and multiplies the negative logits of tokens seen in prompt or answer (CTRL, arXiv 1909.05858); 1: off.
    public var repetitionPenalty: Float = 1
    /// Subtracted from a token's logit for every time it stands in the answer (OpenAI `frequency_penalty`).
    public var frequencyPenalty: Float = 0
    /// Subtracted from a token's logit once it stands in the answer (OpenAI `presence_penalty`).
    public var presencePenalty: Float = 0
    /// The same seed, prompt, model and adapter give the same answer, whatever else is served in the same batch.
    public var seed: UInt64 = 0

    /// The model's own distribution.
    public init() {}

    /// The most likely token each time.
    public static var greedy: SamplingOptions {
        var options = SamplingOptions()
        options.temperature = 0
        return options
    }

    /// Refuses settings out of range.
    public func check() throws(EngineError) {
        guard temperature.isFinite, (0...100).contains(temperature) else { throw .badSetting("temperature must be in 0…100") }
        guard (0...1).contains(topP) else { throw .badSetting("topP must be in 0…1") }
        guard topK >= 0 else { throw .badSetting("topK must not be negative") }
        guard repetitionPenalty.isFinite, repetitionPenalty > 0 else { throw .badSetting("repetitionPenalty must be above 0") }
        guard frequencyPenalty.isFinite, presencePenalty.isFinite else { throw .badSetting("penalties must be finite") }
    }
}
