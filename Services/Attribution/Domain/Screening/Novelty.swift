/// Goes through the items of a Datanet in the order of the ledger and says of each what is new in it: its unique tokens, and whether it
/// nearly repeats an earlier item.
///
/// By runs of eight words (shingles; Broder, 1997): an item is a near-duplicate of the earlier item that first had the most of its shingles,
/// when that is at least four fifths of them. A run that was seen before is new to nobody, also within one item, so repeating oneself adds
/// nothing.
public struct Novelty: Sendable {
    /// The words of a shingle.
    public static let shingle = 8

    /// What was found of an item.
    public struct Finding: Sendable, Hashable {
        /// The head of the cluster that it joins; nil where it nearly repeats nothing.
        public let head: String?
        /// Its length in words.
        public let tokens: Int
        /// Its words that begin a run which nobody had before.
        public let uniqueTokens: Int
    }

    private var firsts: [UInt64: UInt32] = [:]
    private var heads: [String] = []

    /// Knows nothing yet.
    public init() {}

    /// Goes on after items whose runs are known elsewhere.
    ///
    /// - Parameter heads: for each of them, in order, the head of its cluster or itself.
    public init(after heads: [String]) { self.heads = heads }

    /// Takes the next item.
    public mutating func add(id: String, _ text: WordSequence) -> Finding { add(id: id, words: text.hashes(key: .local).map(\.high)) }

    /// Takes the next item by the hashes of its words, all under one key.
    ///
    /// - Parameter known: for each run of eight words (for a shorter item, for all of it), the number of the first of the items that this
    ///   went on after which has it; empty where there are none.
    public mutating func add(id: String, words: [UInt64], known: [Int?] = []) -> Finding {
        let number = UInt32(heads.count)
        var shared: [UInt32: Int] = [:]
        var unique = 0
        // An item shorter than a shingle is one shingle.
        let length = min(Self.shingle, words.count)
        let count = words.isEmpty ? 0 : words.count - length + 1
        for start in 0..<count {
            if start < known.count, let first = known[start] {
                shared[UInt32(first), default: 0] += 1
                continue
            }
            var mixed: UInt64 = 0
            for word in words[start..<start + length] { mixed = (mixed ^ word) &* 0x9E37_79B9_7F4A_7C15 ^ mixed >> 29 }
            if let first = firsts[mixed] {
                if first != number { shared[first, default: 0] += 1 }
            } else {
                firsts[mixed] = number
                unique += 1
            }
        }
        let best = shared.max { ($0.value, $1.key) < ($1.value, $0.key) }
        var head: String?
        if let best, best.value * 5 >= count * 4 { head = heads[Int(best.key)] }
        heads.append(head ?? id)
        // The last shingle brings its other words with it.
        let tokens = unique == 0 ? 0 : min(words.count, unique + length - 1)
        return Finding(head: head, tokens: words.count, uniqueTokens: tokens)
    }
}
