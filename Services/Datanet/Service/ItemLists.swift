internal import Blobs
internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import Events
internal import JSON
internal import Synchronization
internal import Threads

/// Lists of items, whether they stand in an event or in the evidence store.
struct ItemLists: Sendable {
    /// An item as exports and proofs need it, with the list it is from.
    struct Live: Sendable {
        /// The Datanet's revision that these are the items of.
        let revision: Int
        /// In no particular order.
        let items: [AdmittedItem]
    }

    let evidence: EvidenceStore
    private let recent = Recent()

    init(evidence: EvidenceStore) { self.evidence = evidence }

    /// The entries of a list.
    func entries<Entry: EventPart>(_ list: EvidenceList<Entry>) async throws -> [Entry] {
        switch list {
        case .entries(let entries): return entries
        case .evidence(let digest, let count):
            let value = try await evidence.value(digest)
            let fields = try value.array(count: count...count)
            return try fields.map { try Entry(try $0.object()) }
        }
    }

    /// The items of a published list, kept for a while: proofs and exports ask for the same one again and again.
    func snapshot(_ list: Digest, count: Int) async throws -> SnapshotTree {
        if let tree = recent.tree(list) { return tree }
        let tree = try SnapshotTree(try await entries(EvidenceList<AdmittedItem>.evidence(list, count: count)))
        recent.keep(tree, list)
        return tree
    }

    /// The ids of a published list's items, kept for as long.
    func names(_ list: Digest, count: Int) async throws -> Set<String> {
        if let names = recent.names(list) { return names }
        let names = Set(try await entries(EvidenceList<AdmittedItem>.evidence(list, count: count)).map(\.item))
        recent.keep(names, list)
        return names
    }

    /// The items that a Datanet has now.
    func live(_ datanet: String, _ maker: DecisionMaker<DatanetState>) async throws -> Live {
        let (revision, lists) = try await maker.query { state in
            let datanet = try state.datanet(datanet)
            return (datanet.revision, datanet.admitted.compactMap { state.contributions[$0] }.flatMap(\.admitted))
        }
        var all: [AdmittedItem] = []
        for list in lists { all += try await entries(list) }
        let items = all
        return try await maker.query { state in
            guard try state.datanet(datanet).revision == revision else { throw DatanetRefusal.stale }
            return Live(revision: revision, items: items.filter { !state.isDropped($0) })
        }
    }

    /// Keeps a list where it does not stand in its event.
    func put<Entry: EventPart>(_ entries: [Entry]) async throws {
        if let bytes = try EvidenceForm.of(entries).evidence { _ = try await evidence.put(canonical: bytes) }
    }

    /// A few trees and sets of names, the last kept last.
    private final class Recent: Sendable {
        private let sets = Lock<[(list: Digest, names: Set<String>)]>([])
        private let trees = Lock<[(list: Digest, tree: SnapshotTree)]>([])

        func tree(_ list: Digest) -> SnapshotTree? { trees.withLock { trees in trees.first { $0.list == list }?.tree } }

        func names(_ list: Digest) -> Set<String>? { sets.withLock { sets in sets.first { $0.list == list }?.names } }

        func keep(_ names: Set<String>, _ list: Digest) {
            sets.withLock { sets in
                sets.removeAll { $0.list == list }
                sets.append((list, names))
                if sets.count > 16 { sets.removeFirst() }
            }
        }

        func keep(_ tree: SnapshotTree, _ list: Digest) {
            trees.withLock { trees in
                trees.removeAll { $0.list == list }
                trees.append((list, tree))
                if trees.count > 4 { trees.removeFirst() }
            }
        }
    }
}
