/// What a model said, piece by piece.
enum BackendEvent: Sendable {
    /// A piece of the answer.
    case text(String)
    /// The end: why, the tokens as the model counted them, and the answer's attribution row where it made one.
    case end(finish: String, input: Int, output: Int, row: String?)
}

/// An answer that has begun.
struct BackendAnswer: Sendable {
    /// Who computes it, as the log names it.
    let runner: String
    /// Whether an adapter had to be brought in for it.
    let isCold: Bool
    /// What comes. Cancelling the task that reads ends the work there too.
    let pieces: AsyncThrowingStream<BackendEvent, any Error>
}
