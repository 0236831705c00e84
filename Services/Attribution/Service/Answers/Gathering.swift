internal import AttributionDomain
internal import Blobs
internal import CorpusIndex
internal import Crypto
internal import Decisions
internal import Events
internal import ServiceShell
internal import Telemetry

/// Fetches all that an answer is attributed by. What cannot be had now is thrown and tried again; what is gone for ever is named.
actor Gathering {
    private let keeper: IndexKeeper
    private let rows: RowShelf
    private let texts: AnswerTexts
    private let passages: PassageTexts
    private let evidence: EvidenceStore
    /// How often the gateway did not know an answer that stands on the log.
    private var unknown: [String: Int] = [:]
    /// A gateway that has just started may not have read that far; after this many times the texts are taken for gone.
    private let patience: Int
    private let tables = CreditTables()

    init(keeper: IndexKeeper, rows: RowShelf, texts: AnswerTexts, passages: PassageTexts, evidence: EvidenceStore, patience: Int) {
        self.keeper = keeper
        self.rows = rows
        self.texts = texts
        self.passages = passages
        self.evidence = evidence
        self.patience = patience
    }

    /// - Parameter task: a snapshot of it without an index can never have one.
    func material(for task: AttributionTask) async throws -> AnswerMaterial {
        var missing: Set<String> = []
        var indexes: [CorpusIndex] = []
        for source in task.sources {
            guard let ledger = source.ledgerIndex else {
                missing.insert("no-index")
                continue
            }
            let view = try await keeper.view(
                of: ledger, before: task.trigger.position, without: task.withdrawals, admissions: task.admissions)
            if let item = view.unexplained {
                throw AttributionTrouble.lackingIndex(snapshot: source.published.snapshot, item: item)
            }
            if !view.isWhole { missing.insert("items-gone") }
            indexes.append(view.index)
        }
        let table = try await table(for: task)
        let (answer, prompt) = try await words(of: task.inference.inference, &missing)
        return AnswerMaterial(
            attribution: EntityID.make("at", cause: task.trigger.cause), task: task, table: table, spans: IndexSet(indexes),
            answer: answer, prompt: prompt, influence: try await influence(task, &missing),
            passages: answer == nil ? [] : try await passages(task, table.items, &missing), missing: missing.sorted())
    }

    /// Who may be credited: the same for all answers of a model until something is taken back or claimed.
    private func table(for task: AttributionTask) async throws -> CreditTable {
        let sources = task.sources.map { source in
            AttributionStatement.Source(
                snapshot: SnapshotReference(source.published), index: source.index?.manifest, isRetrieval: source.isRetrieval)
        }
        let key = CreditTables.Key(task, sources)
        return try await tables.table(key) { [keeper] in
            var searched: [SearchedSnapshot] = []
            for (source, named) in zip(task.sources, sources) {
                searched.append(SearchedSnapshot(named, items: try await keeper.known(source, admissions: task.admissions)))
            }
            return CreditTable(
                searched, withdrawals: task.withdrawals, before: task.trigger.position, rules: key.rules, names: task.owners)
        }
    }

    private func words(of inference: String, _ missing: inout Set<String>) async throws -> (WordSequence?, WordSequence?) {
        switch try await texts.find(inference) {
        case .texts(let texts):
            unknown[inference] = nil
            do { return (try WordSequence(texts.answer), try WordSequence(texts.prompt)) } catch {
                missing.insert("text-too-long")
                return (nil, nil)
            }
        case .erased:
            missing.insert("content-erased")
            return (nil, nil)
        case .unreadable:
            missing.insert("content-unreadable")
            return (nil, nil)
        case .tooLong:
            missing.insert("text-too-long")
            return (nil, nil)
        case .unknown:
            let times = unknown[inference, default: 0] + 1
            guard times >= patience else {
                unknown[inference] = times
                throw AttributionTrouble.answer(.agentGateway, "does not know \(inference)")
            }
            unknown[inference] = nil
            missing.insert("content-gone")
            return (nil, nil)
        }
    }

    private func influence(_ task: AttributionTask, _ missing: inout Set<String>) async throws -> [InfluenceScores] {
        guard let policy = task.model?.attribution, policy.influence > 0 else { return [] }
        guard let training = task.rows else {
            missing.insert("no-rows")
            return []
        }
        guard let answer = task.inference.row else {
            missing.insert("no-row")
            return []
        }
        switch try await rows.scores(rows: training, answer: answer) {
        case .scores(let scores): return scores
        case .missing(let code):
            missing.insert(code)
            return []
        }
    }

    /// Throws while the log, as far as it was read, does not say that a passage was taken back whose text is not given any more.
    private func explain(_ passage: Events.RetrievedPassage, _ task: AttributionTask) async throws {
        var snapshot = passage.datanet
        for source in task.sources where source.published.datanet == passage.datanet {
            snapshot = source.published.snapshot
            guard let item = try await keeper.items(of: source.published).first(where: { $0.item == passage.item }) else { continue }
            let admitted = task.admissions[item.contribution] ?? source.trigger.position
            if task.withdrawals.isGone(item, admitted: admitted, before: .max) { return }
        }
        throw AttributionTrouble.lackingIndex(snapshot: snapshot, item: passage.item)
    }

    /// - Parameter items: that may be paid. A passage of another was taken back before the answer, whether its text is still at hand or not.
    private func passages(
        _ task: AttributionTask, _ items: SnapshotItems, _ missing: inout Set<String>
    ) async throws -> [AttributionDomain.RetrievedPassage] {
        let list: [Events.RetrievedPassage]
        switch task.inference.passages {
        case .entries(let entries): list = entries
        case .evidence(let digest, _): list = try EvidenceList<Events.RetrievedPassage>.decode(try await evidence.bytes(digest))
        }
        guard !list.isEmpty, (task.model?.attribution.retrieval ?? 0) > 0 else { return [] }
        var known: [String: [UInt8]] = [:]
        let wanted = Set(list.map(\.item))
        for source in task.sources where list.contains(where: { $0.datanet == source.published.datanet }) {
            known.merge(try await passages.texts(of: wanted, in: source.published)) { first, _ in first }
        }
        var found: [AttributionDomain.RetrievedPassage] = []
        for passage in list.prefix(AttributionLimits.passages) {
            guard items[passage.item] != nil else {
                missing.insert("passage-gone")
                continue
            }
            guard let text = known[passage.item] else {
                try await explain(passage, task)
                missing.insert("passage-gone")
                continue
            }
            let end = min(text.count, passage.offset + min(passage.length, text.count))
            let part = passage.offset < end ? text[passage.offset..<end] : text[...]
            // Of one that is longer than anything that is looked at, its beginning.
            let words = try WordSequence(Array(part.prefix(AttributionLimits.answerBytes)))
            found.append(AttributionDomain.RetrievedPassage(item: passage.item, text: words, isCited: passage.cited))
        }
        return found
    }
}
