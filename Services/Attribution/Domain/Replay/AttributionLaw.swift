internal import Crypto
public import Decisions
public import Events
internal import JSON
public import Replay

/// Computes every attribution again: the tables of its statement from the snapshots' lists and what stands on the log, its shares from the
/// statement, and the event from the shares.
public struct AttributionLaw: ReplayLaw {
    /// Attribution's.
    public static let service = Service.attribution
    /// What an answer is attributed by stood on the log before the answer did.
    public static let looksAtOthers = false

    private let evidence: EvidenceShelf
    /// Tables of the last searched snapshots, as they are between two withdrawals or claims.
    private let tables = ReplayCache<TableKey, CreditTable>(limit: 8)

    private struct TableKey: Hashable, Sendable {
        let sources: [AttributionStatement.Source]
        let withdrawn: UInt64?
        let renamed: UInt64?
        let rules: Int
    }

    /// Reads evidence there.
    public init(_ evidence: EvidenceShelf) { self.evidence = evidence }

    /// Nothing yet.
    public func makeState() -> AttributionFacts { AttributionFacts() }

    /// What the rules make of the same.
    public func judge(_ append: ReplayedAppend, _ state: AttributionFacts, _ moment: DecisionContext) throws -> Verdict {
        switch append.first.type {
        case IndexBuilt.type: try index(append, state)
        case AttributionComputed.type: try attribution(append, state)
        case AttributionCorrected.type: try correction(append, state)
        default: .unknown
        }
    }

    /// An answer that was passed over is missing, also while it is only put off: they are attributed in their order.
    public func finish(_ state: AttributionFacts, logTime: Timestamp) -> Ending {
        var ending = Ending()
        for answer in state.waiting.values.sorted(by: { $0.position < $1.position }) {
            if answer.position < state.last {
                ending.missing.append(
                    (
                        answer.position, InferenceCompleted.type,
                        "the answer \(answer.completed.inference) was passed over: it has no attribution, and later ones do"
                    ))
            } else {
                ending.gaps.append(
                    ReplayGap("answers without an attribution", why: "they are the newest, and attribution may be on its way"))
            }
        }
        for (ruling, position, known, isPassedOver) in state.unfollowed() {
            switch (change(known, by: ruling, at: position, state), isPassedOver) {
            case (false, _): continue
            case (true?, true):
                ending.missing.append(
                    (
                        position, RulingMade.type,
                        "the ruling \(ruling.ruling) was passed over: the attribution of \(known.inference) is not corrected, and later "
                            + "answers have theirs"
                    ))
            case (true?, false):
                ending.gaps.append(ReplayGap("rulings without a correction", why: "they are the newest, and it may be on its way"))
            case (nil, _): ending.gaps.append(ReplayGap("rulings without a correction", why: "the evidence cannot be read"))
            }
        }
        return ending
    }

    /// Whether a ruling changes the shares of an attribution; nil where that cannot be computed.
    private func change(
        _ known: AttributionFacts.Attributed, by ruling: RulingMade, at position: UInt64, _ state: AttributionFacts
    ) -> Bool? {
        guard let bytes = try? evidence.bytes(known.evidence), let statement = try? AttributionStatement(json: bytes),
            let before = try? statement.shares(),
            let after = try? statement.corrected(by: ruling, at: position, names: state.owners).shares()
        else { return nil }
        return before != after
    }

    private func stream(_ kind: String, _ id: String) throws -> StreamName {
        guard let stream = StreamName(kind: kind, id: id) else { throw Unlawful("\(id.prefix(80)) can't name a stream") }
        return stream
    }

    // MARK: Indexes

    private func index(_ append: ReplayedAppend, _ state: AttributionFacts) throws -> Verdict {
        let built: IndexBuilt = try append.data(IndexBuilt.self)
        guard let snapshot = state.snapshots[built.snapshot], append.reactsTo == snapshot.event else {
            throw Unlawful("answers no publication of the snapshot \(built.snapshot)")
        }
        guard state.indexes[built.snapshot] == nil else { throw Unlawful("the snapshot \(built.snapshot) has an index already") }
        let list = try evidence.list(snapshot.published.list, of: AdmittedItem.self)
        let gap = ReplayGap("indexes' files", why: "they are made from the items' content, which is sealed")
        var expected = built
        expected.index = EntityID.make("ix", cause: append.first.cause)
        expected.datanet = snapshot.published.datanet
        expected.root = snapshot.published.root
        guard let digest = built.measures else { throw Unlawful("/measures is missing: whose words are new follows from it") }
        let measures = try evidence.list(digest, of: IndexedItem.self)
        guard measures.map(\.item) == list.map(\.item) else { throw Unlawful("/measures are not of the snapshot's items in their order") }
        let known = Set(list.map(\.item))
        for (number, measure) in measures.enumerated() {
            guard measure.unique <= measure.words, measure.head.map({ known.contains($0) && $0 != measure.item }) ?? true else {
                throw Unlawful("/measures/\(number) has more new words than words, or repeats what is not in the snapshot")
            }
        }
        guard built.items <= list.count, built.items >= measures.count(where: { $0.words > 0 }) else {
            throw Unlawful("/items is \(built.items): there are \(list.count), and \(measures.count { $0.words > 0 }) were measured")
        }
        return Verdict(
            [NewEvent(expected, stream: try stream("index", expected.index))], checked: ["indexes' measures": measures.count],
            gaps: [gap, ReplayGap("items' lengths and new words", why: "they are counted in content, which is sealed")])
    }

    // MARK: Attributions

    private func attribution(_ append: ReplayedAppend, _ state: AttributionFacts) throws -> Verdict {
        let event: AttributionComputed = try append.data(AttributionComputed.self)
        guard let answer = state.waiting[event.inference], append.reactsTo == answer.event, append.first.time == answer.time else {
            throw Unlawful("answers no inference \(event.inference), or it has been attributed before")
        }
        let model = state.models[.init(model: answer.completed.model, version: answer.completed.version)]
        let stored = try AttributionStatement(json: try evidence.bytes(event.evidence))
        let found = state.searched(answer, model)
        let sources = found.map { source(of: $0.snapshot, isRetrieval: $0.isRetrieval, state) }
        let table = try table(found, sources, before: answer.position, rules: CreditTable.rules(of: model?.attribution), state)
        if let computed = stored.computed {
            guard let model else { throw Unlawful("credits somebody for an answer of a model that was never published") }
            let passages = try evidence.entries(answer.completed.passages)
            try FindingCheck(computed, items: table.items, sources: sources, policy: model.attribution).check(passages: passages)
            let policy = try AttributionPolicy(model.attribution)
            try OmissionCheck(
                found: computed, missing: Set(stored.missing), sources: sources, policy: policy,
                items: table.items, answer: answer.completed, rows: model.job.flatMap { state.rows[$0] }, passages: passages,
                gone: try gone(stored.missing, found, since: answer.position, state),
                isThinned: policy.rules < 4 ? state.withdrawals.last != state.withdrawals.last(before: answer.position) : nil
            ).check()
        } else if model != nil, !table.items.admittedTokens.allSatisfy({ $0.value <= 0 }) {
            throw Unlawful("its statement credits nobody, and there are owners to credit")
        }
        let statement = try table.statement(
            EntityID.make("at", cause: append.first.cause), of: answer.completed, at: answer.position, model: model,
            missing: stored.missing.filter { model != nil || $0 != "unknown-model" }, computed: stored.computed, names: state.owners)
        if let difference = Difference.first(expected: statement.json, found: stored.json) {
            throw Unlawful("its statement's " + difference)
        }
        let (shares, _) = try EvidenceList.of(try statement.shares())
        let expected = AttributionComputed(
            attribution: statement.attribution, inference: statement.inference, model: statement.model, version: statement.version,
            rules: statement.rules, methods: try statement.methods(), fallback: try statement.isFallback(), shares: shares,
            evidence: event.evidence, missing: statement.missing)
        return Verdict(
            [NewEvent(expected, stream: try stream("attribution", expected.attribution))],
            checked: ["attributions": 1, "attribution shares": shares.count], gaps: gaps(stored))
    }

    /// The items of searched snapshots that were taken back since an answer, where its statement says that some were.
    private func gone(
        _ missing: [String], _ found: [(snapshot: AttributionFacts.Snapshot, isRetrieval: Bool)], since position: UInt64,
        _ state: AttributionFacts
    ) throws -> Set<String> {
        guard !Set(missing).isDisjoint(with: ["items-gone", "passage-gone"]) else { return [] }
        var gone: Set<String> = []
        for (snapshot, _) in found {
            for item in try evidence.list(snapshot.published.list, of: AdmittedItem.self) {
                let admitted = state.admissions[item.contribution] ?? snapshot.position
                guard state.withdrawals.isGone(item, admitted: admitted, before: .max),
                    !state.withdrawals.isGone(item, admitted: admitted, before: position)
                else { continue }
                gone.insert(item.item)
            }
        }
        return gone
    }

    private func source(
        of snapshot: AttributionFacts.Snapshot, isRetrieval: Bool, _ state: AttributionFacts
    ) -> AttributionStatement.Source {
        .init(
            snapshot: SnapshotReference(snapshot.published), index: state.indexes[snapshot.published.snapshot]?.manifest,
            isRetrieval: isRetrieval)
    }

    private func table(
        _ found: [(snapshot: AttributionFacts.Snapshot, isRetrieval: Bool)], _ sources: [AttributionStatement.Source],
        before position: UInt64, rules: Int, _ state: AttributionFacts
    ) throws -> CreditTable {
        let key = TableKey(
            sources: sources, withdrawn: state.withdrawals.last(before: position),
            renamed: state.owners.lastChange(before: position, rules: rules),
            rules: rules)
        if let known = tables[key] { return known }
        let searched = try zip(found, sources).map { found, source in
            let list = try evidence.list(found.snapshot.published.list, of: AdmittedItem.self)
            let measures =
                try state.indexes[found.snapshot.published.snapshot]?.measures
                .map { try evidence.list($0, of: IndexedItem.self) } ?? []
            return SearchedSnapshot(
                source,
                items: KnownItem.of(list, datanet: found.snapshot.published.datanet, measures: measures) {
                    state.admissions[$0.contribution] ?? found.snapshot.position
                })
        }
        let table = CreditTable(searched, withdrawals: state.withdrawals, before: position, rules: rules, names: state.owners)
        tables[key] = table
        return table
    }

    /// What the codes say that the log can't.
    private static let reasons = [
        "content-erased": "the content was erased", "content-unreadable": "the content is damaged", "content-gone": "the content is lost",
        "text-too-long": "the texts are longer than anybody attributes", "passage-gone": "a passage was taken back",
        "no-rows": "the training kept no rows, or they are lost", "no-row": "serving made no row of the answer, or it is lost",
        "bad-rows": "the rows are damaged", "row-of-other-factors": "the answer's row is of other factors than the training's",
        "items-gone": "a snapshot's index was lost, and items of it were taken back before it was built again",
        "no-index": "a snapshot can never have an index",
    ]

    private func gaps(_ stored: AttributionStatement) -> [ReplayGap] {
        var gaps: [ReplayGap] = []
        if stored.computed?.spans != nil {
            gaps.append(ReplayGap("where answers repeat items", why: "answers and items are content, sealed under their owners' keys"))
        }
        if stored.computed?.influence != nil {
            gaps.append(ReplayGap("influence of training rows on answers", why: "rows are kept by training and not part of a bundle"))
        }
        for code in stored.missing {
            gaps.append(ReplayGap("methods that had nothing to look at", why: Self.reasons[code] ?? code))
        }
        return gaps
    }

    // MARK: Corrections

    private func correction(_ append: ReplayedAppend, _ state: AttributionFacts) throws -> Verdict {
        let event: AttributionCorrected = try append.data(AttributionCorrected.self)
        guard let cause = append.reactsTo, let (ruling, position, _) = state.rulings[cause], ruling.ruling == event.ruling,
            state.subject(of: ruling) == event.attribution, let known = state.attributions[event.attribution]
        else { throw Unlawful("follows from no ruling about the attribution \(event.attribution) that took owners out") }
        guard !known.rulings.contains(event.ruling) else { throw Unlawful("the ruling \(event.ruling) was followed before") }
        let corrected = try AttributionStatement(json: try evidence.bytes(known.evidence))
            .corrected(by: ruling, at: position, names: state.owners)
        let (shares, _) = try EvidenceList.of(try corrected.shares())
        let expected = AttributionCorrected(
            attribution: event.attribution, ruling: ruling.ruling, shares: shares, evidence: SHA256.hash(try corrected.bytes()))
        return Verdict(
            [NewEvent(expected, stream: try stream("attribution", event.attribution))],
            checked: ["corrected attributions": 1, "attribution shares": shares.count])
    }
}
