internal import AttributionDomain
internal import Blobs
internal import CorpusIndex
internal import Crypto
internal import Decisions
internal import Events
internal import ServiceShell
internal import Telemetry
internal import Threads

/// Builds, opens, repairs and thins out the indexes of snapshots. Their files can be had again from the snapshots at any time.
actor IndexKeeper {
    private let folder: String
    private let content: SnapshotContent
    private let evidence: EvidenceStore
    private let logger: Logger
    private var open: [String: CorpusIndex] = [:]
    private var lists: [Digest: [AdmittedItem]] = [:]
    private var measures: [Digest: [IndexedItem]] = [:]
    /// By snapshot: an index is built, opened and changed by one at a time.
    private let turns = Turns<String>()
    private static let openLimit = 256

    init(folder: String, peers: Peers, evidence: EvidenceStore, logger: Logger) throws {
        self.folder = folder + "/indexes"
        try Folders.make(self.folder)
        content = SnapshotContent(peers: peers)
        self.evidence = evidence
        self.logger = logger
    }

    /// Builds the index of a snapshot.
    func build(_ snapshot: AttributionState.Snapshot, admissions: [String: UInt64]) async throws -> IndexBuilt {
        let published = snapshot.published
        let built = try await turns.take(published.snapshot) { try await self.build(published, admissions: admissions) }
        let list = try EvidenceList<IndexedItem>.encode(built.measures)
        return IndexBuilt(
            index: EntityID.make("ix", cause: snapshot.trigger.cause), datanet: published.datanet, snapshot: published.snapshot,
            root: published.root, manifest: built.manifest, items: built.items, bytes: built.bytes,
            measures: try await evidence.put(canonical: list).hash)
    }

    private func build(_ published: SnapshotPublished, admissions: [String: UInt64]) async throws -> SnapshotIndexing.Built {
        let list = try await items(of: published)
        let texts = try await content.texts(of: published, list: list, purpose: "read")
        let path = directory(published.snapshot)
        let indexing = SnapshotIndexing(directory: path, root: published.root, list: list, texts: texts, admissions: admissions)
        let built = try await OSThread.run(name: "index") { try indexing.build() }
        open[published.snapshot] = nil
        return built
    }

    /// The index of a snapshot. One whose files are missing, damaged or of another version is built anew.
    func index(_ published: SnapshotPublished, admissions: [String: UInt64]) async throws -> CorpusIndex {
        if let index = open[published.snapshot] { return index }
        return try await turns.take(published.snapshot) { try await self.openNow(published, admissions: admissions) }
    }

    private func openNow(_ published: SnapshotPublished, admissions: [String: UInt64]) async throws -> CorpusIndex {
        if let index = open[published.snapshot] { return index }
        let path = directory(published.snapshot)
        var index: CorpusIndex
        do {
            index = try await Self.opened(path)
            guard index.snapshotRoot == published.root else {
                throw CorpusIndexError.corrupt(path: path, reason: "it is of another snapshot")
            }
        } catch let error as CorpusIndexError where error.asksForRebuild {
            logger.warning("an index is built anew", ["snapshot": .string(published.snapshot), "error": .describing(error)])
            _ = try await build(published, admissions: admissions)
            index = try await Self.opened(path)
        }
        if open.count >= Self.openLimit { open.removeAll() }
        open[published.snapshot] = index
        return index
    }

    private static func opened(_ path: String) async throws -> CorpusIndex {
        try await OSThread.run(name: "index-open") { try CorpusIndex(directory: path) }
    }

    /// Takes items out of a snapshot's index, so that nothing of them is left in its files.
    func remove(_ gone: Set<String>, from published: SnapshotPublished, admissions: [String: UInt64]) async throws {
        try await turns.take(published.snapshot) { try await self.removeNow(gone, from: published, admissions: admissions) }
    }

    private func removeNow(_ gone: Set<String>, from published: SnapshotPublished, admissions: [String: UInt64]) async throws {
        let index = try await openNow(published, admissions: admissions)
        let there = index.items().map(\.id).filter { gone.contains($0) }
        guard !there.isEmpty else { return }
        let path = directory(published.snapshot)
        let root = published.root
        try await OSThread.run(name: "index-remove") {
            let builder = try CorpusIndexBuilder(directory: path)
            try builder.update(root: root, removing: there)
            try builder.purge()
        }
        open[published.snapshot] = nil
    }

    /// The items of a snapshot as the ledger has them.
    func items(of published: SnapshotPublished) async throws -> [AdmittedItem] {
        if let list = lists[published.list] { return list }
        let list = try EvidenceList<AdmittedItem>.decode(try await evidence.bytes(published.list))
        guard list.count == published.items else {
            throw AttributionTrouble.answer(
                .datanet, "published \(published.items) items in \(published.snapshot) and listed \(list.count)")
        }
        if lists.count >= Self.openLimit { lists.removeAll() }
        lists[published.list] = list
        return list
    }

    /// The items of a snapshot with what its index measured.
    func known(_ source: AttributionTask.Source, admissions: [String: UInt64]) async throws -> [KnownItem] {
        let list = try await items(of: source.published)
        var found: [IndexedItem] = []
        if let digest = source.index?.measures {
            if let kept = measures[digest] {
                found = kept
            } else {
                found = try EvidenceList<IndexedItem>.decode(try await evidence.bytes(digest))
                if measures.count >= Self.openLimit { measures.removeAll() }
                measures[digest] = found
            }
        }
        return KnownItem.of(list, datanet: source.published.datanet, measures: found) {
            admissions[$0.contribution] ?? source.trigger.position
        }
    }

    /// A folder for each snapshot; ids may hold what paths may not.
    private func directory(_ snapshot: String) -> String {
        folder + "/" + Hex.encode(Array(SHA256.hash(utf8: snapshot).bytes.prefix(16)))
    }
}

extension CorpusIndexError {
    /// Whether building the index again helps.
    var asksForRebuild: Bool {
        switch self {
        case .corrupt, .version, .missing: true
        case .file, .duplicateItem, .unknownItem, .badItem, .tooLarge, .sorting: false
        }
    }

    /// Whether the snapshot's items can never be indexed.
    var isForEver: Bool {
        switch self {
        case .duplicateItem, .badItem, .tooLarge: true
        case .corrupt, .version, .missing, .file, .unknownItem, .sorting: false
        }
    }
}
