internal import JSON

/// What a model said, piece by piece.
enum BackendEvent: Sendable {
    /// A piece of the answer; the tokens so far, where the server counts while it speaks; and its tokens' probabilities, where those were
    /// asked for, in the server's form, which is OpenAI's.
    case text(String, TokenCount?, logprobs: JSONValue?)
    /// More of the calls that the answer asks its caller for, in OpenAI's form of a delta; the tokens so far, likewise; and whether they came
    /// with the text before them, so that both are one piece.
    case tools(JSONValue, TokenCount?, isWithText: Bool)
    /// The end: why, the tokens as the model counted them, and the answer's attribution row where it made one.
    case end(finish: String, count: TokenCount, row: String?)
}

/// Tokens of a prompt and of its answer, as a server counts them.
struct TokenCount: Sendable, Hashable {
    let input: Int
    let output: Int

    init(input: Int, output: Int) {
        self.input = input
        self.output = output
    }

    /// What a chunk's `usage` says; nil when that is nothing, or nonsense.
    init?(usage: JSONValue?) {
        guard let input = usage?["prompt_tokens"]?.intValue, let output = usage?["completion_tokens"]?.intValue, input >= 0, output >= 0
        else { return nil }
        (self.input, self.output) = (Int(input), Int(output))
    }
}

/// An answer that has begun.
struct BackendAnswer: Sendable {
    /// Who computes it, as the log names it.
    let runner: String
    /// Whether an adapter had to be brought in for it.
    let isCold: Bool
    /// Whether it counts tokens that it does not tell.
    let hidesTokens: Bool
    /// What comes. Cancelling the task that reads ends the work there too.
    let pieces: AsyncThrowingStream<BackendEvent, any Error>
}
