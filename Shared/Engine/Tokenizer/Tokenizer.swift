public import Crypto

/// A tokenizer as Hugging Face's `tokenizer.json` describes it: text to tokens and back.
///
/// Run are byte-pair models: byte-level ones (GPT-2, Llama 3, Qwen2, SmolLM and alike) and those converted from SentencePiece
/// (Llama 2, Mistral), and unigram models as SentencePiece trains them, with the normalisers, patterns, added tokens, templates and decoders that these families use.
/// Everything else is refused by name when the file is read, so that text is never cut in another way than in training.
public final class Tokenizer: Sendable {
    /// How tokens become text again.
    struct Decoding: Sendable, Hashable {
        /// Blanks taken from the beginning of a text.
        var leadingBlanksStripped = 0
        /// Whether the first token loses all its blanks.
        var firstTokenLosesBlanks = false
    }

    /// SHA-256 of the file's bytes: what a lineage names.
    public let digest: Digest
    /// The tokens outside the merges, by their ids.
    public let addedTokens: [AddedToken]
    /// Tokens put before every text, as the file's template says.
    public let prefixTokens: [Int32]
    /// Tokens put after every text, as the file's template says.
    public let suffixTokens: [Int32]

    let model: WordModel
    let normalizer: TextNormalizer
    let preTokenizer: PreTokenizer
    let decoding: Decoding
    let tokenBytes: TokenBytes
    private let rawFinder: AddedTokenFinder
    private let normalizedFinder: AddedTokenFinder
    private let idsByContent: [[UInt8]: Int32]
    private let special: Set<Int32>

    init(parts: TokenizerParts, digest: Digest) {
        self.digest = digest
        addedTokens = parts.addedTokens.sorted { $0.id < $1.id }
        prefixTokens = parts.prefixTokens
        suffixTokens = parts.suffixTokens
        model = parts.model
        normalizer = parts.normalizer
        preTokenizer = parts.preTokenizer
        decoding = parts.decoding
        tokenBytes = TokenBytes(parts.tokenBytes)
        idsByContent = parts.idsByContent
        special = Set(parts.addedTokens.filter(\.isSpecial).map(\.id))
        rawFinder = AddedTokenFinder(parts.addedTokens.filter { !$0.isNormalized }.map { ($0, Array($0.content.utf8)) })
        normalizedFinder = AddedTokenFinder(
            parts.addedTokens.filter(\.isNormalized).map { ($0, parts.normalizer.normalized(Array($0.content.utf8))) })
    }

    /// One more than the greatest id; a model's embedding must have at least as many rows.
    public var vocabularySize: Int { tokenBytes.count }

    /// The id of a token by its text in the file, as `<|im_end|>`.
    public func id(of content: String) -> Int32? { idsByContent[Array(content.utf8)] }

    /// Whether the token steers the model rather than being text.
    public func isSpecial(_ token: Int32) -> Bool { special.contains(token) }

    /// The bytes that a token stands for; not always whole characters. Nil beyond the vocabulary.
    public func bytes(of token: Int32) -> [UInt8]? {
        token >= 0 && token < vocabularySize ? Array(tokenBytes[Int(token)]) : nil
    }

    /// The tokens of a text.
    /// - Parameters:
    ///   - addingSpecialTokens: put what the file's template puts before and after a text.
    ///   - readingSpecialTokens: whether `<|im_end|>` and alike in the text become the tokens that they name. False for
    ///     text of strangers: it is then cut as any other.
    public func encode(_ text: String, addingSpecialTokens: Bool = true, readingSpecialTokens: Bool = true) -> [Int32] {
        var tokens = addingSpecialTokens ? prefixTokens : []
        append(Array(text.utf8), readingSpecialTokens: readingSpecialTokens, isFirst: true, to: &tokens)
        if addingSpecialTokens { tokens += suffixTokens }
        return tokens
    }

    /// Appends the tokens of UTF-8 text.
    func append(_ text: [UInt8], readingSpecialTokens: Bool, isFirst: Bool, to tokens: inout [Int32]) {
        var scratch: [Int32] = []
        for piece in rawFinder.pieces(of: text, passingOverSpecial: !readingSpecialTokens) {
            if let token = piece.token {
                tokens.append(token)
                continue
            }
            let normalized = normalizer.normalized(Array(text[piece.range]))
            for inner in normalizedFinder.pieces(of: normalized, passingOverSpecial: !readingSpecialTokens) {
                if let token = inner.token {
                    tokens.append(token)
                    continue
                }
                let atStart = isFirst && piece.range.lowerBound == 0 && inner.range.lowerBound == 0
                normalized[inner.range].withUnsafeBufferPointer { buffer in
                    preTokenizer.words(in: buffer, isFirst: atStart) { word in
                        model.encode(word, scratch: &scratch, into: &tokens)
                    }
                }
            }
        }
    }

    /// The text of tokens; bytes that are no UTF-8 become replacement characters.
    public func decode(_ tokens: some Sequence<Int32>, skippingSpecialTokens: Bool = false) -> String {
        var decoder = decoder(skippingSpecialTokens: skippingSpecialTokens)
        var text = ""
        for token in tokens { text += decoder.append(token) }
        return text + decoder.finish()
    }

    /// A decoder for tokens that come one by one.
    public func decoder(skippingSpecialTokens: Bool = true) -> TokenDecoder {
        TokenDecoder(self, skipsSpecialTokens: skippingSpecialTokens)
    }

    /// Throws unless the model has an embedding for every token.
    public func requireFit(_ configuration: ModelConfiguration) throws(FormatError) {
        guard vocabularySize <= configuration.vocabularySize else {
            throw FormatError(
                .mismatch, file: "tokenizer.json",
                "has tokens up to \(vocabularySize - 1), and the model only \(configuration.vocabularySize) embeddings: is it another model's?"
            )
        }
    }
}
