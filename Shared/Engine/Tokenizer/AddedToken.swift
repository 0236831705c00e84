/// A token that stands for a text of its own, outside the merges.
public struct AddedToken: Sendable, Hashable {
    /// Its id.
    public let id: Int32
    /// The text that it stands for, as `<|im_end|>`.
    public let content: String
    /// Whether it steers the model rather than being text; left out when answers are decoded for people.
    public let isSpecial: Bool
    /// Whether it is found in normalised text instead of the text as given.
    public let isNormalized: Bool
    /// Whether it must not stand within a word.
    public let isSingleWord: Bool
    /// Whether it takes the blanks before it.
    public let stripsLeft: Bool
    /// Whether it takes the blanks after it.
    public let stripsRight: Bool

    /// A token by its properties.
    public init(
        id: Int32, content: String, isSpecial: Bool = true, isNormalized: Bool = false, isSingleWord: Bool = false,
        stripsLeft: Bool = false, stripsRight: Bool = false
    ) {
        self.id = id
        self.content = content
        self.isSpecial = isSpecial
        self.isNormalized = isNormalized
        self.isSingleWord = isSingleWord
        self.stripsLeft = stripsLeft
        self.stripsRight = stripsRight
    }
}
