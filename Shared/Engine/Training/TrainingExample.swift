/// One row to learn from: tokens, and which of them count in the loss.
public struct TrainingExample: Sendable, Equatable {
    /// Token ids, the first of which is never predicted.
    public let tokens: [Int32]
    /// Positions whose token the model is to predict, ascending, each in `1..<tokens.count`.
    public let targets: [Int]

    /// A row in which every token from position `start` on counts; 1, the default, for plain text, the length of the
    /// prompt for a completion.
    public init(tokens: [Int32], lossFrom start: Int = 1) {
        self.tokens = tokens
        targets = Array(max(1, start)..<max(1, start, tokens.count))
    }

    /// A row in which the tokens marked `true` count (answers in a conversation of many turns).
    public init(tokens: [Int32], counts: [Bool]) {
        self.tokens = tokens
        targets = zip(counts.indices, counts).filter { $0.0 > 0 && $0.0 < tokens.count && $0.1 }.map(\.0)
    }
}
