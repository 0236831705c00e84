/// What a `tokenizer.json` was read into.
struct TokenizerParts: Sendable {
    var model: WordModel
    var normalizer: TextNormalizer
    var preTokenizer: PreTokenizer
    var decoding: Tokenizer.Decoding
    var addedTokens: [AddedToken]
    var prefixTokens: [Int32]
    var suffixTokens: [Int32]
    /// What each token decodes to; empty for ids that no token has.
    var tokenBytes: [[UInt8]]
    /// Ids by the UTF-8 of the token's text in the file.
    var idsByContent: [[UInt8]: Int32]
}
