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
    private let history: SnapshotHistory
    private let logger: Logger
    private var open = SizedCache<String, CorpusIndex>(limit: .max, most: 256)
    private var views = SizedCache<ViewKey, IndexView>(limit: 64 << 20)
    private var lists = SizedCache<Digest, [AdmittedItem]>(limit: 256 << 20)
    private var measures = SizedCache<Digest, [IndexedItem]>(limit: 128 << 20)
    private var plans = SizedCache<String, SegmentPlan>(limit: 128 << 20)
    /// Kept for as long as this runs: who has it may tidy up.
    private let lock: FolderLock?
    /// By snapshot: an index is built, opened and changed by one at a time.
    private let turns = Turns<String>()

    /// Between two withdrawals an index stays as it is.
    private struct ViewKey: Hashable, Sendable {
        let snapshot: String
        let last: UInt64?
    }

    init(folder: String, peers: Peers, evidence: EvidenceStore, history: SnapshotHistory, logger: Logger) throws {
        self.folder = folder + "/indexes"
        try Folders.make(self.folder)
        content = SnapshotContent(peers: peers)
        self.evidence = evidence
        self.history = history
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

    /// The index of a snapshot as it was before a position of the log: without what had been taken back until then, be it out of the files
    /// yet or not. So it does not hang on when they are cleaned.
    func view(
        of ledger: LedgerIndex, before position: UInt64, without withdrawals: Withdrawals, admissions: [String: UInt64]
    ) async throws -> IndexView {
        let base = try await index(ledger)
        let key = ViewKey(snapshot: ledger.published.snapshot, last: withdrawals.last(before: position))
        if let view = views[key], view.base === base { return view }
        let list = try await items(of: ledger.published)
        func names(before position: UInt64) -> Set<String> {
            Set(ledger.gone(list, withdrawals, admissions, before: position).map(\.item))
        }
        let gone = key.last == nil ? [] : names(before: position)
        let index = gone.isEmpty ? base : try await OSThread.run(name: "index-view") { base.without(gone) }
        var lacking: Set<String> = []
        if base.digest != ledger.built.manifest {
            let live = Set(base.items().map(\.id))
            for item in try await measures(of: ledger.built) where item.words > 0 && !live.contains(item.item) && !gone.contains(item.item)
            {
                lacking.insert(item.item)
            }
        }
        let unexplained = lacking.isEmpty ? [] : lacking.subtracting(names(before: .max))
        let view = IndexView(base: base, index: index, isWhole: lacking.isEmpty, unexplained: unexplained.min())
        // What is unexplained may be explained by what is read of the log next.
        if unexplained.isEmpty { views.keep(view, for: key, bytes: 64 + 64 * gone.count) }
        return view
    }

    /// The index of a snapshot. One whose files are missing, damaged, of another version or not those of the ledger is built anew.
    private func index(_ ledger: LedgerIndex) async throws -> CorpusIndex {
        if let index = open[ledger.published.snapshot] { return index }
        return try await turns.take(ledger.published.snapshot) { try await self.openNow(ledger) }
    }

    private func openNow(_ ledger: LedgerIndex) async throws -> CorpusIndex {
        let snapshot = ledger.published.snapshot
        if let index = open[snapshot] { return index }
        var index: CorpusIndex
        do {
            index = try await opened(ledger)
        } catch let error as CorpusIndexError where error.asksForRebuild {
            logger.warning("an index is built anew", ["snapshot": .string(snapshot), "error": .describing(error)])
            try await rebuild(ledger)
            index = try await opened(ledger)
        }
        open.keep(index, for: snapshot, bytes: 0)
        return index
    }

    /// - Throws: `CorpusIndexError` where the files are not those that the ledger names, nor what became of them here.
    private func opened(_ ledger: LedgerIndex) async throws -> CorpusIndex {
        let path = directory(ledger.published.snapshot)
        let index = try await OSThread.run(name: "index-open") { try CorpusIndex(directory: path) }
        if index.digest == ledger.built.manifest { return index }
        func corrupt(_ reason: String) -> CorpusIndexError { .corrupt(path: path, reason: reason) }
        guard index.snapshotRoot == ledger.published.root else { throw corrupt("it is of another snapshot") }
        guard ThinnedNote(directory: path) == ThinnedNote(built: ledger.built.manifest, now: index.digest) else {
            throw corrupt("its manifest has the hash \(index.digest), and \(ledger.built.index) has \(ledger.built.manifest)")
        }
        if let fault = LedgerIndex.fault(index, measures: try await measures(of: ledger.built)) { throw corrupt(fault) }
        return index
    }

    /// Builds an index whose files are gone, damaged or others, as it was built first. Without what has been taken back since then.
    private func rebuild(_ ledger: LedgerIndex) async throws {
        let (published, built) = (ledger.published, ledger.built)
        let list = try await items(of: published)
        let before = try await history.before(published.snapshot)
        let plan = try await plan(of: published, list, after: before)
        let texts = try await content.texts(of: published, list: list, purpose: "read")
        let indexing = SnapshotIndexing(
            directory: directory(published.snapshot), root: published.root, origin: before.first?.root ?? published.root, list: list,
            plan: plan, texts: SnapshotContent.byItem(list, texts), admissions: [:], earlier: nil)
        let (manifest, items) = try await OSThread.run(name: "index") { try indexing.files() }
        guard manifest != built.manifest else { return }
        // Those who built the first ones kept no measures and knew no plan.
        guard items < built.items || built.measures == nil else {
            throw AttributionTrouble.otherIndex(index: built.index, snapshot: published.snapshot)
        }
        try await note(ledger)
    }

    /// Takes out of a snapshot's index what was taken back before a position, so that nothing of it is left in its files.
    func remove(
        from ledger: LedgerIndex, _ withdrawals: Withdrawals, admissions: [String: UInt64], before position: UInt64
    ) async throws {
        let gone = ledger.gone(try await items(of: ledger.published), withdrawals, admissions, before: position)
        guard !gone.isEmpty else { return }
        let names = Set(gone.map(\.item))
        try await turns.take(ledger.published.snapshot) { try await self.removeNow(names, from: ledger) }
    }

    private func removeNow(_ gone: Set<String>, from ledger: LedgerIndex) async throws {
        let index = try await openNow(ledger)
        let there = index.items().map(\.id).filter { gone.contains($0) }
        guard !there.isEmpty else { return }
        let path = directory(ledger.published.snapshot)
        let root = ledger.published.root
        // Who asks meanwhile gets the old one; where this fails, the files are looked at anew.
        defer {
            open.remove(ledger.published.snapshot)
            views.remove { $0.snapshot == ledger.published.snapshot }
        }
        try await OSThread.run(name: "index-remove") {
            let builder = try CorpusIndexBuilder(directory: path)
            try builder.update(root: root, removing: there)
            try builder.purge()
        }
        try await note(ledger)
    }

    /// Writes down what became of the index that the ledger names.
    private func note(_ ledger: LedgerIndex) async throws {
        let (path, built) = (directory(ledger.published.snapshot), ledger.built.manifest)
        try await OSThread.run(name: "index-note") {
            let now = try CorpusIndex(directory: path, verification: .headers).digest
            try ThinnedNote(built: built, now: now).write(to: path)
        }
    }

    /// The items of a snapshot whose words' hashes are in its index's files.
    func present(in ledger: LedgerIndex) async throws -> Set<String> { Set(try await index(ledger).items().map(\.id)) }

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
        if let built = source.index { found = try await measures(of: built) }
        return KnownItem.of(list, datanet: source.published.datanet, measures: found) {
            admissions[$0.contribution] ?? source.trigger.position
        }
    }

    private func measures(of built: IndexBuilt) async throws -> [IndexedItem] {
        guard let digest = built.measures else { return [] }
        if let kept = measures[digest] { return kept }
        let found = try EvidenceList<IndexedItem>.decode(try await evidence.bytes(digest))
        measures.keep(found, for: digest, bytes: 120 * found.count)
        return found
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
