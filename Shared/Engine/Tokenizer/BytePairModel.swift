/// The vocabulary and merges of a byte-pair tokenizer: from words to tokens.
struct BytePairModel: Sendable {
    /// How a word's first pieces are found.
    enum Alphabet: Sendable {
        /// Every byte is a token; -1 for bytes that are none.
        case bytes([Int32])
        /// Every character that is a token; others by the tokens of their bytes, or as one unknown.
        case characters(byteTokens: [Int32]?, unknown: Int32?, fusesUnknown: Bool)
    }

    let alphabet: Alphabet
    let merging: PairMerging
    /// Tokens by their bytes, where whole words or characters are looked up.
    let vocabulary: [[UInt8]: Int32]
    /// Whether a word that is a token is one, whatever the merges say.
    let ignoresMergesForWholeWords: Bool

    /// Appends the tokens of a word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, scratch: inout [Int32], into out: inout [Int32]) {
        if ignoresMergesForWholeWords, let token = vocabulary[Array(word)] {
            out.append(token)
            return
        }
        scratch.removeAll(keepingCapacity: true)
        switch alphabet {
        case .bytes(let tokens): for byte in word where tokens[Int(byte)] >= 0 { scratch.append(tokens[Int(byte)]) }
        case .characters(let byteTokens, let unknown, let fuses): characters(word, byteTokens, unknown, fuses, &scratch)
        }
        merging.merge(&scratch)
        out += scratch
    }

    private func characters(
        _ word: UnsafeBufferPointer<UInt8>, _ byteTokens: [Int32]?, _ unknown: Int32?, _ fuses: Bool, _ out: inout [Int32]
    ) {
        let text = TextCursor(bytes: word)
        var at = 0, followsUnknown = false
        while at < word.count {
            let length = text.character(at: at).length
            let character = word[at..<at + length]
            at += length
            if let token = vocabulary[Array(character)] {
                out.append(token)
                followsUnknown = false
            } else if let byteTokens {
                for byte in character { out.append(byteTokens[Int(byte)]) }
                followsUnknown = false
            } else if let unknown {
                if !(fuses && followsUnknown) { out.append(unknown) }
                followsUnknown = true
            }
        }
    }
}
