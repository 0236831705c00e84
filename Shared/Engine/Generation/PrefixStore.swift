/// Keys and values of ended sequences, by what was computed: the tokens and the adapter. The one used longest ago goes first
/// when the bytes are used up.
struct PrefixStore {
    private struct Entry {
        let tokens: [Int32]
        let adapter: Adapter?
        let cache: KVCache
        let bytes: Int
        var used: Int
    }

    let limit: Int
    private(set) var bytes = 0
    private var entries: [Entry] = []
    private var clock = 0

    init(limit: Int) { self.limit = limit }

    /// The entry that shares the longest beginning with `tokens`, at most all but the last of them.
    mutating func longest(_ tokens: [Int32], adapter: Adapter?) -> (cache: KVCache, length: Int)? {
        var best: (index: Int, length: Int)?
        for (index, entry) in entries.enumerated() where entry.adapter === adapter {
            let most = min(entry.tokens.count, tokens.count - 1)
            var length = 0
            while length < most, entry.tokens[length] == tokens[length] { length += 1 }
            if length > best?.length ?? 0 { best = (index, length) }
        }
        guard let best else { return nil }
        clock += 1
        entries[best.index].used = clock
        return (entries[best.index].cache, best.length)
    }

    /// Keeps the cache of a sequence that has ended.
    mutating func keep(_ tokens: [Int32], adapter: Adapter?, cache: KVCache, bytes size: Int) {
        guard size <= limit, tokens.count > 1 else { return }
        entries.removeAll { entry in
            let isCovered = entry.adapter === adapter && entry.tokens.count <= tokens.count && tokens.starts(with: entry.tokens)
            if isCovered { bytes -= entry.bytes }
            return isCovered
        }
        while bytes + size > limit, let oldest = entries.indices.min(by: { entries[$0].used < entries[$1].used }) {
            bytes -= entries[oldest].bytes
            entries.remove(at: oldest)
        }
        clock += 1
        entries.append(Entry(tokens: tokens, adapter: adapter, cache: cache, bytes: size, used: clock))
        bytes += size
    }
}
