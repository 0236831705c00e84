/// A part of an answer as it comes.
public struct GeneratedPiece: Sendable, Equatable {
    /// A token's logarithm of probability under the model's distribution before sampling.
    public struct Logprob: Sendable, Equatable {
        /// The token.
        public var token: Int32
        /// Natural logarithm.
        public var value: Float
    }

    /// Why an answer ended.
    public enum FinishReason: String, Sendable {
        /// A stop token or a stop string.
        case stop
        /// `maximumTokens` or the context is used up.
        case length
        /// The caller cancelled.
        case cancelled
    }

    /// The tokens of this piece; more than one when text was held back because it might have begun a stop string.
    public var tokens: [Int32]
    /// Their text, whole characters only.
    public var text: String
    /// One for each token when asked for.
    public var logprobs: [Logprob]
    /// For each token its most likely rivals, best first.
    public var alternatives: [[Logprob]]
    /// Set on the last piece.
    public var finish: FinishReason?
    /// Set on the last piece: tokens of the prompt, how many of them came from the cache, and tokens generated.
    public var usage: Usage?

    /// What an answer took.
    public struct Usage: Sendable, Equatable {
        /// Tokens of the prompt.
        public var promptTokens: Int
        /// Those of them whose keys and values were kept from an earlier request.
        public var cachedTokens: Int
        /// Tokens chosen for the answer.
        public var generatedTokens: Int
    }
}
