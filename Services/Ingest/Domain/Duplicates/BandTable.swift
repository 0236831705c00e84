/// Which items share which band: an open-addressed table of chains in flat arrays, about 30 bytes for each band of each item. A look-up
/// reads one place of memory however many items there are.
struct BandTable: Sendable {
    /// The most items that one band keeps: what a template makes alike by the thousand costs no more than so many comparisons.
    static let most = 64
    private static let none: Int32 = -1

    /// Hashes, by slot; meaningful where ``chains`` has a chain.
    private var hashes: [UInt64]
    /// The newest link of each slot's chain.
    private var chains: [Int32]
    /// Links: an item, and the link before it.
    private var items: [Int32] = []
    private var earlier: [Int32] = []
    private var used = 0

    /// An empty table.
    init() {
        hashes = [UInt64](repeating: 0, count: 1 << 10)
        chains = [Int32](repeating: Self.none, count: 1 << 10)
    }

    /// About how much memory it takes.
    var bytes: Int { 12 * hashes.count + 8 * items.count }

    /// Hands over the items of a band, newest first.
    @inline(__always)
    func forEach(of hash: UInt64, _ body: (Int32) -> Void) {
        var link = chains[slot(of: hash)]
        while link != Self.none {
            body(items[Int(link)])
            link = earlier[Int(link)]
        }
    }

    /// Adds an item to a band, unless the band is full or `isOfOneKind` counts enough of its items already.
    /// - Parameters:
    ///   - mostOfKind: how many items of one kind a band takes.
    ///   - isOfOneKind: whether an item of the band is of the new one's kind.
    mutating func insert(_ item: Int32, _ hash: UInt64, mostOfKind: Int, _ isOfOneKind: (Int32) -> Bool) {
        var (count, ofKind) = (0, 0)
        forEach(of: hash) {
            count += 1
            if isOfOneKind($0) { ofKind += 1 }
        }
        guard count < Self.most, ofKind < mostOfKind else { return }
        if count == 0 {
            if 2 * (used + 1) > hashes.count { grow() }
            used += 1
        }
        let slot = slot(of: hash)
        hashes[slot] = hash
        items.append(item)
        earlier.append(chains[slot])
        chains[slot] = Int32(items.count - 1)
    }

    /// Where a band's chain stands, or would.
    @inline(__always)
    private func slot(of hash: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: hash) & (hashes.count - 1)
        while chains[slot] != Self.none, hashes[slot] != hash { slot = (slot + 1) & (hashes.count - 1) }
        return slot
    }

    private mutating func grow() {
        let (oldHashes, oldChains) = (hashes, chains)
        hashes = [UInt64](repeating: 0, count: 2 * oldHashes.count)
        chains = [Int32](repeating: Self.none, count: 2 * oldChains.count)
        for (hash, chain) in zip(oldHashes, oldChains) where chain != Self.none {
            let slot = slot(of: hash)
            hashes[slot] = hash
            chains[slot] = chain
        }
    }
}
