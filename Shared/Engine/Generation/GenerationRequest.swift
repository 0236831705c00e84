/// What one caller wants answered.
public struct GenerationRequest: Sendable {
    /// The prompt, tokenised with the model's tokenizer; at least one token.
    public var prompt: [Int32]
    /// Whose low-rank weights are added for this request; nil: the base model. Held until the request ends, so that an
    /// adapter replaced meanwhile still finishes what began with it.
    public var adapter: Adapter?
    /// How tokens are chosen.
    public var sampling = SamplingOptions()
    /// Tokens to generate at most.
    public var maximumTokens = 256
    /// Tokens that end the answer without being part of it.
    public var stopTokens: Set<Int32> = []
    /// Texts that end the answer; what stands before the first of them is delivered, the text itself is not.
    public var stopStrings: [String] = []
    /// Most likely alternatives to report for every token (0…20); nil: no log-probabilities.
    public var logprobs: Int?

    /// A request with the defaults.
    public init(prompt: [Int32], adapter: Adapter? = nil) {
        self.prompt = prompt
        self.adapter = adapter
    }
}
