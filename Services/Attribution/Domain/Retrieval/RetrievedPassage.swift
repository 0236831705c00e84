/// A passage that was put before the model.
public struct RetrievedPassage: Sendable {
    /// The item it is of.
    public let item: String
    /// Its words.
    public let text: WordSequence
    /// Whether the answer names it as a source.
    public let isCited: Bool

    /// Takes a passage.
    public init(item: String, text: WordSequence, isCited: Bool) {
        self.item = item
        self.text = text
        self.isCited = isCited
    }
}

/// What a passage was found to have given.
public struct PassageEvidence: Sendable, Hashable {
    /// The item it is of.
    public let item: String
    /// The verified owner of the item, or of its cluster's head.
    public let owner: String
    /// Whether the answer names it as a source.
    public let isCited: Bool
    /// The answer's words that lie in a run of words of the passage.
    public let usedTokens: Int
    /// Its credit in 10^-9 words.
    public let credit: Int
}
