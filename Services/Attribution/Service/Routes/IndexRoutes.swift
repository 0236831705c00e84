internal import AttributionDomain
internal import CorpusIndex
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import ServiceShell
internal import Threads
internal import Web

/// Indexes, and the tracing of any text against one of them.
struct IndexRoutes: Sendable {
    let maker: DecisionMaker<AttributionState>
    let keeper: IndexKeeper
    let clock: @Sendable () -> Timestamp
    /// So many answers may wait while texts are traced: money comes first.
    let backlog: Int

    /// The first path is the one that is told; the second was the only one once.
    var routes: [Route] {
        [indexes, withdrawn, trace("/v1/attributions:trace", "traceText"), trace("/v1/attributions/trace", "traceTextAtItsOldPath")]
    }

    private var indexes: Route {
        Route(
            .get, "/v1/indexes", operation: "indexes", summary: "The snapshots that are indexed, and those that wait, oldest first.",
            access: .scope("attributions:read"),
            query: Page.parameters() + [QueryParameter("datanet", .text(1...200), "Only those of a Datanet.")],
            replies: [.json(200, "A page of indexes.", Page.schema(.openObject()))], problems: AttributionProblems.all
        ) { context in
            let page = Page(context)
            let codec = CursorCodec(list: "indexes")
            let after = try page.cursor.map { try codec.decode($0) }?.first.flatMap { UInt64($0) }
            let datanet = context.query.string("datanet")
            let found = try await maker.query { state in
                state.snapshots.values
                    .filter { datanet == nil || $0.published.datanet == datanet }
                    .filter { snapshot in after.map { snapshot.trigger.position > $0 } ?? true }
                    .sorted { $0.trigger.position < $1.trigger.position }
                    .prefix(page.limit + 1).map { ($0, state.indexes[$0.published.snapshot]) }
            }
            let shown = found.prefix(page.limit)
            let next = found.count > page.limit ? shown.last.map { codec.encode([String($0.0.trigger.position)]) } : nil
            return page.response(shown.map { Self.json($0.0.published, $0.1) }, next: next)
        }
    }

    private static func json(_ published: SnapshotPublished, _ index: IndexBuilt?) -> JSONValue {
        .members([
            "datanet": .string(published.datanet), "snapshot": .string(published.snapshot), "number": .count(published.number),
            "root": .digest(published.root), "status": .string(index == nil ? "waiting" : "built"),
            "index": index.map { .string($0.index) }, "manifest": index.map { .digest($0.manifest) },
            "items": index.map { .count($0.items) }, "bytes": index.map { .count($0.bytes) },
        ])
    }

    private var withdrawn: Route {
        Route(
            .get, "/v1/indexes/{snapshot}/withdrawn", operation: "withdrawnInIndex",
            summary:
                "Items of an indexed snapshot that were withdrawn or erased since, and whether the index's files still have their hashes.",
            access: .scope("attributions:read"), path: ["snapshot": .text(1...200)], query: Page.parameters(limit: 1...10_000),
            replies: [
                .json(
                    200, "A page; count and held are of all.",
                    .openObject(
                        .required("snapshot", .text), .required("count", .count), .required("held", .count),
                        .required(
                            "items",
                            .list(
                                .openObject(
                                    .required("item", .text), .required("contribution", .text), .required("owner", .text),
                                    .required(
                                        "held", .boolean,
                                        "The index's files still have the hashes of its words; no answer is given by them.")),
                                atMost: 10_000))))
            ], problems: AttributionProblems.all
        ) { context in
            let name = context.path["snapshot"]
            let page = Page(context, default: 1_000)
            let codec = CursorCodec(list: "withdrawnInIndex")
            let from = try page.cursor.map { try codec.decode($0) }.flatMap { Int($0.first ?? "") } ?? 0
            let found = try await maker.query { state in
                state.indexes[name].flatMap { _ in state.snapshots[name]?.published }.map { ($0, state.withdrawals, state.admissions) }
            }
            guard let (published, withdrawals, admissions) = found else { throw Problem(.notFound, "\(name) is not indexed") }
            let items = try await keeper.items(of: published)
            let gone = items.indices.filter {
                withdrawals.isGone(items[$0], admitted: admissions[items[$0].contribution] ?? 0, before: .max)
            }
            let present = try await keeper.present(in: published)
            // More may be taken back between two pages: a page goes on behind an item of the snapshot, whose places stay.
            let left = gone.drop { $0 < from }
            let next = left.count > page.limit ? codec.encode([String(left[left.startIndex + page.limit])]) : nil
            return .json(
                .members([
                    "snapshot": .string(name), "count": .count(gone.count),
                    "held": .count(gone.count { present.contains(items[$0].item) }), "next": next.map { .string($0) },
                    "items": .array(
                        left.prefix(page.limit).map { place in
                            let item = items[place]
                            return [
                                "item": .string(item.item), "contribution": .string(item.contribution), "owner": .string(item.owner),
                                "held": .bool(present.contains(item.item)),
                            ]
                        }),
                ]))
        }
    }

    private func trace(_ path: String, _ operation: String) -> Route {
        Route(
            .post, path, operation: operation,
            summary: "Where a text, or parts of it, stand word for word in a Datanet. For who may read its content.",
            access: .authenticated,
            body: .json(
                .object(
                    .required("text", .text(0...AttributionLimits.answerBytes)), .required("datanet", .text(1...200)),
                    .optional("number", .integer(1...1_000_000_000), "The snapshot's number; the latest without."),
                    .optional("minimum_tokens", .integer(1...1_024), "Shortest span in words; 8 without.")),
                limit: AttributionLimits.answerBytes + (1 << 16)),
            replies: [.json(200, "The spans.", .openObject())], problems: AttributionProblems.all
        ) { context in
            let caller = try context.caller
            let datanet = context.json["datanet"]?.stringValue ?? ""
            let number = context.json["number"]?.intValue.map { Int($0) }
            let now = clock()
            let isTrusted = caller.has("attributions:trace")
            let backlog = backlog
            let (published, withdrawals, admissions) = try await maker.query { state in
                guard state.waiting.count <= backlog else {
                    let why = "\(state.waiting.count) answers wait for their attribution: ask again when they have it"
                    throw Problem(.unavailable, why, headers: ["Retry-After": "10"])
                }
                guard isTrusted || state.readers.may(caller.subject, read: datanet, at: now) else {
                    throw Problem(.forbidden, "\(caller.subject) may not read the content of \(datanet)", field: "datanet")
                }
                let all = (state.snapshotsOfDatanet[datanet] ?? []).compactMap { state.snapshots[$0]?.published }
                guard let published = number.map({ number in all.first { $0.number == number } }) ?? all.last else {
                    throw Problem(.notFound, "\(datanet) has no such snapshot", field: number == nil ? "datanet" : "number")
                }
                guard state.indexes[published.snapshot] != nil else {
                    throw Problem(AttributionProblems.notTraceable, "\(published.snapshot) is not indexed yet: ask again")
                }
                return (published, state.withdrawals, state.admissions)
            }
            let text = try WordSequence(context.json["text"]?.stringValue ?? "")
            let minimum = Int(context.json["minimum_tokens"]?.intValue ?? 8)
            // What was taken back is shown to nobody from then on, also while its words' hashes are still in the files.
            let index = try await keeper.index(published, without: withdrawals, admissions: admissions)
            let matches = try await OSThread.run(name: "trace") {
                index.maximalSpans(of: text, minimumTokens: minimum, occurrenceLimit: Self.occurrences)
            }
            let items = Dictionary(try await keeper.items(of: published).map { ($0.item, $0) }, uniquingKeysWith: { first, _ in first })
            return .json([
                "datanet": .string(datanet), "snapshot": .string(published.snapshot), "root": .digest(published.root),
                "tokens": .count(text.count), "span_count": .count(matches.count),
                "spans": .array(matches.prefix(Self.spans).map { Self.json($0, text, items) }),
            ])
        }
    }

    /// The most spans in an answer, and occurrences of one that are named.
    private static let spans = 1_000
    private static let occurrences = 100

    private static func json(_ match: SpanMatch, _ text: WordSequence, _ items: [String: AdmittedItem]) -> JSONValue {
        let bytes = text.byteRange(match.words)
        return [
            "start": .count(bytes.lowerBound), "end": .count(bytes.upperBound), "tokens": .count(match.length),
            "text": .string(String(decoding: text.bytes[bytes], as: UTF8.self)), "occurrences": .count(match.occurrences),
            "items": .array(
                match.items.compactMap { items[$0] }.map { item in
                    [
                        "item": .string(item.item), "owner": .string(item.owner), "contribution": .string(item.contribution),
                        "licence": .string(item.licence),
                    ]
                }),
        ]
    }
}
