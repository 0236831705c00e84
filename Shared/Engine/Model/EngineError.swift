/// What the numeric part of the engine refuses, and why.
public enum EngineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The model has a feature that is not built; says which, and what is supported.
    case unsupported(String)
    /// A tensor is missing, has another shape than the configuration says, or holds something that is not a finite number.
    case badWeights(String)
    /// An adapter does not fit the model it is to be used with.
    case adapterMismatch(String)
    /// A row has more tokens than the context holds.
    case rowTooLong(row: Int, tokens: Int, limit: Int)
    /// A token id outside the vocabulary.
    case badToken(row: Int, token: Int32, vocabulary: Int)
    /// Nothing to train on or to answer.
    case noData(String)
    /// A setting is out of its range.
    case badSetting(String)
    /// The work would take more memory than allowed; refused before the start.
    case outOfMemory(needed: Int, limit: Int, what: String)
    /// Loss or gradient stopped being a finite number; the run ended at that step.
    case diverged(step: Int, what: String)
    /// A checkpoint is damaged or belongs to another run; says what differs.
    case badCheckpoint(String)
    /// The caller cancelled.
    case cancelled
    /// The generator has been stopped or has no room for another request.
    case unavailable(String)
    /// A file could not be read or written.
    case file(String)

    /// What was refused, why, and what would help.
    public var description: String {
        switch self {
        case .unsupported(let what): "not supported: \(what)"
        case .badWeights(let what): "bad weights: \(what)"
        case .adapterMismatch(let what): "the adapter does not fit the model: \(what)"
        case .rowTooLong(let row, let tokens, let limit):
            "row \(row) has \(tokens) tokens, the context holds \(limit): split or shorten it"
        case .badToken(let row, let token, let vocabulary):
            "row \(row) holds token \(token), the vocabulary ends at \(vocabulary - 1): was it tokenised with this model's tokenizer?"
        case .noData(let what): "no data: \(what)"
        case .badSetting(let what): "bad setting: \(what)"
        case .outOfMemory(let needed, let limit, let what):
            "\(what) needs about \(needed / 1_000_000) MB, \(limit / 1_000_000) MB are allowed: smaller rows, batch or model"
        case .diverged(let step, let what): "step \(step): \(what) is not a finite number: lower the learning rate or look at the data"
        case .badCheckpoint(let what): "bad checkpoint: \(what)"
        case .cancelled: "cancelled"
        case .unavailable(let what): "not available: \(what)"
        case .file(let what): what
        }
    }
}
