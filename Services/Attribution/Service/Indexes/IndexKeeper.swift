internal import AttributionDomain
internal import Blobs
internal import CorpusIndex
internal import Crypto
internal import Decisions
internal import Events
internal import Glibc
internal import ServiceShell
internal import Telemetry
internal import Threads

/// Builds, opens, repairs and thins out the indexes of snapshots. Their files can be had again from the snapshots at any time.
actor IndexKeeper {
    private let folder: String
    private let content: SnapshotContent
    private let evidence: EvidenceStore
    private let logger: Logger
    private var open = SizedCache<String, CorpusIndex>(limit: .max, most: 256)
    private var views = SizedCache<String, View>(limit: 64 << 20)
    private var lists = SizedCache<Digest, [AdmittedItem]>(limit: 256 << 20)
    private var measures = SizedCache<Digest, [IndexedItem]>(limit: 128 << 20)
    private var plans = SizedCache<String, SegmentPlan>(limit: 128 << 20)
    /// Kept for as long as this runs: who has it may tidy up.
    private let lock: FolderLock?
    /// By snapshot: an index is built, opened and changed by one at a time.
    private let turns = Turns<String>()

    /// An index without what was taken back and is not out of its files yet.
    private struct View: Sendable {
        let base: CorpusIndex
        let last: UInt64
        let index: CorpusIndex
    }

    init(folder: String, peers: Peers, evidence: EvidenceStore, logger: Logger) throws {
        self.folder = folder + "/indexes"
        try Folders.make(self.folder)
        content = SnapshotContent(peers: peers)
        self.evidence = evidence
        self.logger = logger
        lock = FolderLock(self.folder)
        guard lock != nil else { return }
        let removed = CorpusIndexBuilder.tidy(folders: self.folder)
        if removed > 0 { logger.info("files that no index has were removed", ["files": .integer(Int64(removed))]) }
    }

    /// Builds the index of a snapshot: of what it has more than the one before, where that one's index is there.
    func build(_ task: IndexTask) async throws -> IndexBuilt {
        let published = task.snapshot.published
        let built = try await turns.take(published.snapshot) { try await self.buildNow(task) }
        open.remove(published.snapshot)
        let list = try EvidenceList<IndexedItem>.encode(built.measures)
        return IndexBuilt(
            index: EntityID.make("ix", cause: task.snapshot.trigger.cause), datanet: published.datanet, snapshot: published.snapshot,
            root: published.root, manifest: built.manifest, items: built.items, bytes: built.bytes,
            measures: try await evidence.put(canonical: list).hash)
    }

    private func buildNow(_ task: IndexTask) async throws -> SnapshotIndexing.Built {
        let published = task.snapshot.published
        let list = try await items(of: published)
        let plan = try await plan(of: published, list, after: task.before)
        let origin = task.before.first?.root ?? published.root
        func indexing(_ texts: [String: [UInt8]], _ earlier: SnapshotIndexing.Earlier?) -> SnapshotIndexing {
            SnapshotIndexing(
                directory: directory(published.snapshot), root: published.root, origin: origin, list: list, plan: plan, texts: texts,
                admissions: task.admissions, earlier: earlier)
        }
        if let before = task.before.last, let earlier = try await earlier(task, list) {
            let old = Set(earlier.list.map(\.item))
            let fresh = list.filter { !old.contains($0.item) }
            let texts = try await content.texts(of: published, list: fresh, since: before.number, purpose: "read")
            let step = indexing(SnapshotContent.byItem(fresh, texts), earlier)
            do {
                return try await OSThread.run(name: "index") { try step.build() }
            } catch let error as CorpusIndexError where !error.isForEver {
                logger.warning(
                    "an index is built from all texts", ["snapshot": .string(published.snapshot), "error": .describing(error)])
            }
        }
        let texts = try await content.texts(of: published, list: list, purpose: "read")
        let whole = indexing(SnapshotContent.byItem(list, texts), nil)
        return try await OSThread.run(name: "index") { try whole.build() }
    }

    /// The index that a snapshot's can go on from: its items are all there still, and what is new was admitted after them.
    private func earlier(_ task: IndexTask, _ list: [AdmittedItem]) async throws -> SnapshotIndexing.Earlier? {
        guard let before = task.before.last, let previous = task.previous, let digest = previous.measures else { return nil }
        let old = try await items(of: before)
        let measures = try EvidenceList<IndexedItem>.decode(try await evidence.bytes(digest))
        let names = Set(old.map(\.item))
        guard measures.map(\.item) == old.map(\.item), names.isSubset(of: list.map(\.item)) else { return nil }
        func place(_ item: AdmittedItem) -> (UInt64, String) { (task.admissions[item.contribution] ?? .max, item.item) }
        if let last = old.map(place).max(by: { $0 < $1 }) {
            guard list.allSatisfy({ names.contains($0.item) || last < place($0) }) else { return nil }
        }
        return SnapshotIndexing.Earlier(
            directory: directory(before.snapshot), list: old, measures: measures, bytes: previous.bytes)
    }

    /// Which items lie in which segment: it follows from the Datanet's lists up to this one.
    private func plan(
        of published: SnapshotPublished, _ list: [AdmittedItem], after before: [SnapshotPublished]
    ) async throws -> SegmentPlan {
        func entries(_ list: [AdmittedItem]) -> [SegmentPlan.Item] { list.map { SegmentPlan.Item(id: $0.item, tokens: $0.tokens) } }
        var plan = SegmentPlan()
        var first = 0
        for (number, earlier) in before.enumerated().reversed() {
            guard let known = plans[earlier.snapshot] else { continue }
            (plan, first) = (known, number + 1)
            break
        }
        for earlier in before[first...] { plan = plan.next(entries(try await items(of: earlier))) }
        plan = plan.next(entries(list))
        plans.keep(plan, for: published.snapshot, bytes: 96 * list.count)
        return plan
    }

    /// Builds an index whose files are gone or damaged, from all texts and in one segment: the answers are the same.
    private func rebuild(_ published: SnapshotPublished) async throws {
        let list = try await items(of: published)
        let texts = try await content.texts(of: published, list: list, purpose: "read")
        let present = zip(list, texts).compactMap { item, text in text.map { CorpusItem(id: item.item, text: $0) } }
        let (path, root) = (directory(published.snapshot), published.root)
        _ = try await OSThread.run(name: "index") { try CorpusIndexBuilder(directory: path).build(root: root, items: present) }
    }

    /// The index of a snapshot. One whose files are missing, damaged or of another version is built anew.
    func index(_ published: SnapshotPublished) async throws -> CorpusIndex {
        if let index = open[published.snapshot] { return index }
        return try await turns.take(published.snapshot) { try await self.openNow(published) }
    }

    /// The index of a snapshot without what has been taken back, be it out of the files yet or not.
    func index(_ published: SnapshotPublished, without withdrawals: Withdrawals, admissions: [String: UInt64]) async throws -> CorpusIndex {
        let index = try await index(published)
        guard let last = withdrawals.last else { return index }
        if let view = views[published.snapshot], view.base === index, view.last == last { return view.index }
        let gone = try await items(of: published).filter {
            withdrawals.isGone($0, admitted: admissions[$0.contribution] ?? 0, before: .max)
        }
        let names = Set(gone.map(\.item))
        let view = names.isEmpty ? index : try await OSThread.run(name: "index-view") { index.without(names) }
        views.keep(View(base: index, last: last, index: view), for: published.snapshot, bytes: 64 + 64 * names.count)
        return view
    }

    private func openNow(_ published: SnapshotPublished) async throws -> CorpusIndex {
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
            try await rebuild(published)
            index = try await Self.opened(path)
        }
        open.keep(index, for: published.snapshot, bytes: 0)
        return index
    }

    private static func opened(_ path: String) async throws -> CorpusIndex {
        try await OSThread.run(name: "index-open") { try CorpusIndex(directory: path) }
    }

    /// Takes items out of a snapshot's index, so that nothing of them is left in its files.
    func remove(_ gone: Set<String>, from published: SnapshotPublished) async throws {
        try await turns.take(published.snapshot) { try await self.removeNow(gone, from: published) }
    }

    private func removeNow(_ gone: Set<String>, from published: SnapshotPublished) async throws {
        let index = try await openNow(published)
        let there = index.items().map(\.id).filter { gone.contains($0) }
        guard !there.isEmpty else { return }
        let path = directory(published.snapshot)
        let root = published.root
        try await OSThread.run(name: "index-remove") {
            let builder = try CorpusIndexBuilder(directory: path)
            try builder.update(root: root, removing: there)
            try builder.purge()
        }
        open.remove(published.snapshot)
    }

    /// The items of a snapshot whose words' hashes are in its index's files.
    func present(in published: SnapshotPublished) async throws -> Set<String> { Set(try await index(published).items().map(\.id)) }

    /// The items of a snapshot as the ledger has them.
    func items(of published: SnapshotPublished) async throws -> [AdmittedItem] {
        if let list = lists[published.list] { return list }
        let list = try EvidenceList<AdmittedItem>.decode(try await evidence.bytes(published.list))
        guard list.count == published.items else {
            throw AttributionTrouble.answer(
                .datanet, "published \(published.items) items in \(published.snapshot) and listed \(list.count)")
        }
        lists.keep(list, for: published.list, bytes: 400 * list.count)
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
                measures.keep(found, for: digest, bytes: 120 * found.count)
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
        // A file that the manifest names is gone.
        case .file(_, _, let code): code == ENOENT
        case .duplicateItem, .unknownItem, .badItem, .tooLarge, .sorting: false
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
