/// A unigram vocabulary (Kudo, arXiv 1804.10959): a word becomes the tokens whose scores add up to most, found by Viterbi's way.
struct UnigramModel: Sendable {
    /// What a character that is no token costs below the least score, as SentencePiece has it.
    static let unknownPenalty = 10.0

    let scores: [Double]
    let unknown: Int32?
    /// A token for every byte, for what is no token; nil where it becomes the unknown token.
    let byteTokens: [Int32]?
    private let trie: TokenTrie
    private let unknownScore: Double

    init(_ tokens: [(bytes: [UInt8], score: Double)], unknown: Int32?, byteTokens: [Int32]?) {
        scores = tokens.map(\.score)
        self.unknown = unknown
        self.byteTokens = byteTokens
        trie = TokenTrie(tokens.map(\.bytes))
        unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
    }

    private struct Node {
        var score = 0.0
        var start = -1
        /// The unknown token's place is -1 where there is none.
        var token: Int32 = -1
    }

    /// Appends the tokens of a word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, into out: inout [Int32]) {
        guard !word.isEmpty else { return }
        var nodes = [Node](repeating: Node(), count: word.count + 1)
        func offer(_ end: Int, from start: Int, _ score: Double, _ token: Int32) {
            guard nodes[end].start < 0 || score > nodes[end].score else { return }
            nodes[end] = Node(score: score, start: start, token: token)
        }
        let text = TextCursor(bytes: word)
        var at = 0
        while at < word.count {
            let length = text.character(at: at).length, score = nodes[at].score
            var hasCharacter = false
            trie.tokens(of: word, from: at) { token, end in
                offer(end, from: at, score + scores[Int(token)], token)
                hasCharacter = hasCharacter || end - at == length
            }
            if !hasCharacter { offer(at + length, from: at, score + unknownScore, unknown ?? -1) }
            at += length
        }
        var pieces: [(start: Int, end: Int, token: Int32)] = []
        var end = word.count
        while end > 0 {
            let node = nodes[end]
            // Neighbours that are unknown are one.
            if node.token == unknown ?? -1, let last = pieces.last, last.start == end, last.token == node.token {
                pieces[pieces.count - 1].start = node.start
            } else {
                pieces.append((node.start, end, node.token))
            }
            end = node.start
        }
        for piece in pieces.reversed() { append(word, piece, to: &out) }
    }

    private func append(_ word: UnsafeBufferPointer<UInt8>, _ piece: (start: Int, end: Int, token: Int32), to out: inout [Int32]) {
        guard piece.token == unknown ?? -1 else { return out.append(piece.token) }
        let text = UnsafeBufferPointer(rebasing: word[piece.start..<piece.end])
        if let whole = trie.token(text) {
            out.append(whole)
        } else if let byteTokens {
            for byte in text { out.append(byteTokens[Int(byte)]) }
        } else if let unknown {
            out.append(unknown)
        }
    }
}

/// Tokens by their bytes, found from each place of a text.
struct TokenTrie: Sendable {
    /// By node and byte.
    private var next: [Int: Int32] = [:]
    /// The token that ends at each node; -1 where none does.
    private var ends: [Int32] = [-1]

    init(_ tokens: [[UInt8]]) {
        for (id, bytes) in tokens.enumerated() {
            var node: Int32 = 0
            for byte in bytes {
                let key = Int(node) << 8 | Int(byte)
                if let known = next[key] {
                    node = known
                } else {
                    node = Int32(ends.count)
                    next[key] = node
                    ends.append(-1)
                }
            }
            ends[Int(node)] = Int32(id)
        }
    }

    /// The tokens with which the text goes on from a place, the shortest first, and where each ends.
    func tokens(of text: UnsafeBufferPointer<UInt8>, from start: Int, _ found: (_ token: Int32, _ end: Int) -> Void) {
        var node: Int32 = 0
        for at in start..<text.count {
            guard let step = next[Int(node) << 8 | Int(text[at])] else { return }
            node = step
            if ends[Int(node)] >= 0 { found(ends[Int(node)], at + 1) }
        }
    }

    /// The token that is the whole text.
    func token(_ text: UnsafeBufferPointer<UInt8>) -> Int32? {
        var node: Int32 = 0
        for byte in text {
            guard let step = next[Int(node) << 8 | Int(byte)] else { return nil }
            node = step
        }
        return ends[Int(node)] >= 0 ? ends[Int(node)] : nil
    }
}
