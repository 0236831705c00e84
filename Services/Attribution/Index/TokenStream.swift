internal import AttributionDomain

/// The items of a segment to be, as numbers of words in the order of their first coming.
struct TokenStream {
    static let end = UInt32.max

    /// The words of all items, each item followed by `end`.
    private(set) var tokens: [UInt32] = []
    private(set) var ids: [String] = []
    /// The hash of each word: 64 and 32 bits.
    private(set) var highs: [UInt64] = []
    private(set) var lows: [UInt32] = []
    private let key: WordKey
    /// Open addressing: number of the word plus one, 0 for free.
    private var table = [UInt32](repeating: 0, count: 1 << 12)

    init(key: WordKey) { self.key = key }

    /// Appends a text as an item.
    mutating func append(id: String, text: UnsafeRawBufferPointer) {
        WordTokenizer.forEachWord(in: text) { range in
            let hash = WordHash(UnsafeRawBufferPointer(rebasing: text[range]), key: key)
            tokens.append(number(high: hash.high, low: UInt32(truncatingIfNeeded: hash.low)))
        }
        finishItem(id)
    }

    mutating func append(high: UInt64, low: UInt32) { tokens.append(number(high: high, low: low)) }

    mutating func finishItem(_ id: String) {
        tokens.append(Self.end)
        ids.append(id)
    }

    private mutating func number(high: UInt64, low: UInt32) -> UInt32 {
        if highs.count * 2 >= table.count { grow() }
        let mask = table.count - 1
        var slot = Int(truncatingIfNeeded: high) & mask
        while true {
            let entry = table[slot]
            if entry == 0 {
                highs.append(high)
                lows.append(low)
                table[slot] = UInt32(highs.count)
                return UInt32(highs.count - 1)
            }
            if highs[Int(entry) - 1] == high && lows[Int(entry) - 1] == low { return entry - 1 }
            slot = (slot + 1) & mask
        }
    }

    private mutating func grow() {
        table = [UInt32](repeating: 0, count: table.count * 4)
        let mask = table.count - 1
        for (index, high) in highs.enumerated() {
            var slot = Int(truncatingIfNeeded: high) & mask
            while table[slot] != 0 { slot = (slot + 1) & mask }
            table[slot] = UInt32(index + 1)
        }
    }
}
