internal import Crypto
internal import Events
internal import ServiceShell

/// The texts of items that passages were taken from. Kept in memory only, for as long as the snapshot is the one that answers use.
actor PassageTexts {
    private let content: SnapshotContent
    private let keeper: IndexKeeper
    private var kept: [Digest: [String: [UInt8]]] = [:]
    private var sizes: [Digest: Int] = [:]
    private var order: [Digest] = []
    private let turns = Turns<Digest>()
    /// Raised when everything is forgotten: what was being read then is not kept.
    private var generation = 0
    /// The most bytes that are kept: one snapshot at least, several while they are small.
    private static let limit = 256 << 20

    init(peers: Peers, keeper: IndexKeeper) {
        content = SnapshotContent(peers: peers)
        self.keeper = keeper
    }

    /// The text of each of these items that the snapshot has and that was not taken back.
    func texts(of items: Set<String>, in published: SnapshotPublished) async throws -> [String: [UInt8]] {
        if let texts = kept[published.list] { return texts.filter { items.contains($0.key) } }
        return try await turns.take(published.list) { try await self.read(items, published) }
    }

    private func read(_ items: Set<String>, _ published: SnapshotPublished) async throws -> [String: [UInt8]] {
        if let texts = kept[published.list] { return texts.filter { items.contains($0.key) } }
        let started = generation
        let list = try await keeper.items(of: published)
        guard list.contains(where: { items.contains($0.item) }) else { return [:] }
        let read = try await content.texts(of: published, list: list, purpose: "retrieve")
        var texts: [String: [UInt8]] = [:]
        for (item, text) in zip(list, read) { texts[item.item] = text }
        if started == generation { keep(texts, published.list) }
        return texts.filter { items.contains($0.key) }
    }

    /// Forgets everything: something was taken back.
    func forget() {
        generation += 1
        kept.removeAll()
        sizes.removeAll()
        order.removeAll()
    }

    private func keep(_ texts: [String: [UInt8]], _ list: Digest) {
        guard kept[list] == nil else { return }
        kept[list] = texts
        sizes[list] = texts.values.reduce(0) { $0 + $1.count }
        order.append(list)
        while order.count > 1, sizes.values.reduce(0, +) > Self.limit {
            let oldest = order.removeFirst()
            kept[oldest] = nil
            sizes[oldest] = nil
        }
    }
}
