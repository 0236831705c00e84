internal import Blobs
internal import Crypto

/// Items that have been judged and are to be sealed: some are gathered while those before them are on their way to the disk, so that the
/// disk is waited for a few times for all of them, and beside other work.
struct SealingQueue {
    /// An item's place in its contribution, and what it is known by.
    typealias Sealed = (place: Int, commitment: Digest)

    private struct Group: Sendable {
        var places: [Int] = []
        var items: [(owner: String, item: SealedItem)] = []
        var bytes = 0
    }

    let store: SealedStore
    private var gathered = Group()
    private var underWay: (places: [Int], commitments: Task<[Digest], any Error>)?
    private static let mostItems = 2_048
    private static let mostBytes = 8 << 20

    init(store: SealedStore) { self.store = store }

    /// Whether so much is gathered that it should go.
    var isDue: Bool { gathered.items.count >= Self.mostItems || gathered.bytes >= Self.mostBytes }

    /// Takes an item.
    mutating func add(_ owner: String, _ item: SealedItem, place: Int) {
        gathered.places.append(place)
        gathered.items.append((owner, item))
        gathered.bytes += item.content.count
    }

    /// Sends what is gathered on its way, once what went before is durable.
    /// - Returns: what went before.
    mutating func start() async throws -> [Sealed] {
        let before = underWay
        underWay = nil
        let done = try await before?.commitments.value ?? []
        let (group, store) = (gathered, store)
        gathered = Group()
        if !group.items.isEmpty { underWay = (group.places, Task { try await store.put(group.items) }) }
        return Array(zip(before?.places ?? [], done)).map { (place: $0.0, commitment: $0.1) }
    }
}
