/// The entries of one level-0 tile (C2SP tlog-tiles): each with its length as a big-endian 16-bit number before it.
public enum EntryBundle {
    /// Appends an entry. The caller keeps to 65,535 bytes, the most the length can say.
    public static func append(_ entry: [UInt8], to bundle: inout [UInt8]) {
        precondition(entry.count <= 65_535, "an entry has at most 65,535 bytes")
        bundle.append(UInt8(entry.count >> 8))
        bundle.append(UInt8(entry.count & 255))
        bundle.append(contentsOf: entry)
    }

    /// A whole bundle.
    public static func encode(_ entries: some Collection<[UInt8]>) -> [UInt8] {
        var bundle: [UInt8] = []
        bundle.reserveCapacity(entries.reduce(0) { $0 + $1.count + 2 })
        for entry in entries { append(entry, to: &bundle) }
        return bundle
    }

    /// Where each entry lies; nil when the bundle is cut, or holds another number of entries than `count`.
    public static func ranges(of bundle: [UInt8], count: Int) -> [Range<Int>]? {
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(count)
        var at = 0
        while at < bundle.count {
            guard at + 2 <= bundle.count else { return nil }
            let end = at + 2 + Int(bundle[at]) << 8 + Int(bundle[at + 1])
            guard end <= bundle.count, ranges.count < count else { return nil }
            ranges.append(at + 2..<end)
            at = end
        }
        return ranges.count == count ? ranges : nil
    }
}
