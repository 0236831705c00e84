/// A way to find out which data shaped an answer.
public enum AttributionMethod: String, Sendable, Hashable, CaseIterable {
    /// The answer repeats the data word for word.
    case spans
    /// Training on the data made the answer more likely.
    case influence
    /// The data was put before the model, cited, and used.
    case retrieval
}
