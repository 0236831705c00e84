internal import BillingDomain
internal import Crypto
internal import Events
internal import JSON
internal import Money
internal import Postgres
internal import Projections

/// What each answer was, who shaped it, and what was settled: what invoices and earnings are made from, beside the entries.
struct BillsProjection: Projection {
    let name = "bills"
    let schema = "billing"
    let version = 1
    let tables = ["answers", "settled", "corrections", "disputes"]
    let types: Set<String>? = [
        InferenceCompleted.type, AttributionComputed.type, JobCompleted.type, AccessUsed.type, AttributionCorrected.type,
        SettlementPosted.type, DisputeOpened.type,
    ]
    let evidence: @Sendable (Digest) -> [UInt8]?

    private struct Answer {
        var reference: String
        var model = ""
        var version = 0
        var input = 0
        var output = 0
        var attribution = ""
        var shares = ""
    }

    private struct Settled {
        let id, kind, reference, payer, asset: String
        let attributed: Int64
        let fee: Int128
        let position: UInt64
        let time: Int64

        /// Its entries, by far the most of it, are the journal's.
        init(_ event: ProjectedEvent) throws {
            let data = event.members
            let fee = try data.value("fee")
            guard let id = data.text("id"), let kind = data.text("kind"), let reference = data.text("reference"),
                let payer = data.text("payer"), let attributed = data.int("position"), let asset = fee?["asset"]?.stringValue,
                let units = (fee?["amount"]?.stringValue).flatMap({ Int128($0) })
            else { throw BillingFault(event.header.type, "\(event.position)", "lacks what a settlement has") }
            (self.id, self.kind, self.reference, self.payer, self.asset) = (id, kind, reference, payer, asset)
            self.attributed = Int64(attributed)
            self.fee = units
            position = event.position
            time = event.header.time.microseconds
        }
    }

    /// What a batch of events brings, the first telling of a thing before later ones.
    private struct Harvest {
        var answers: [String: Answer] = [:]
        var order: [String] = []
        var settled: [Settled] = []
        var corrections: [(attribution: String, shares: String)] = []
        var disputes: [(dispute: String, settlement: String)] = []

        mutating func answer(_ reference: String, _ change: (inout Answer) -> Void) {
            if answers[reference] == nil { order.append(reference) }
            change(&answers[reference, default: Answer(reference: reference)])
        }
    }

    func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws {
        var harvest = Harvest()
        for event in events { try take(event, into: &harvest) }
        try write(harvest.order.compactMap { harvest.answers[$0] }, session, tables)
        try write(harvest.settled, session, tables)
        if !harvest.corrections.isEmpty {
            // The last one counts, also within one batch.
            let last = Dictionary(harvest.corrections.map { ($0.attribution, $0.shares) }) { _, next in next }.sorted { $0.key < $1.key }
            _ = try session.execute(
                Statement(
                    """
                    insert into \(tables["corrections"]) (attribution, shares) select * from unnest($1::text[], $2::text[])
                    on conflict (attribution) do update set shares = excluded.shares
                    """), [.textArray(last.map(\.key)), .textArray(last.map(\.value))])
        }
        if !harvest.disputes.isEmpty {
            _ = try session.execute(
                Statement("insert into \(tables["disputes"]) (dispute, settlement) select * from unnest($1::text[], $2::text[])"),
                [.textArray(harvest.disputes.map(\.dispute)), .textArray(harvest.disputes.map(\.settlement))])
        }
    }

    private func take(_ event: ProjectedEvent, into harvest: inout Harvest) throws {
        func fields() throws -> JSONFields { try JSON.parse(Array(event.data)).object() }
        switch event.header.type {
        case InferenceCompleted.type:
            let data = try InferenceCompleted(fields())
            harvest.answer(data.inference) { answer in
                guard answer.model.isEmpty else { return }
                (answer.model, answer.version, answer.input, answer.output) = (
                    data.model, data.version, data.inputTokens, data.outputTokens
                )
            }
        case AttributionComputed.type:
            let data = try AttributionComputed(fields())
            let shares = try text(of: data.shares)
            harvest.answer(data.inference) { answer in
                guard answer.attribution.isEmpty else { return }
                (answer.attribution, answer.shares) = (data.attribution, shares)
            }
        case JobCompleted.type:
            let data = try JobCompleted(fields())
            let shares = try text(of: data.shares)
            harvest.answer(data.job) { answer in
                guard answer.shares.isEmpty else { return }
                answer.shares = shares
            }
        case AccessUsed.type:
            let data = try AccessUsed(fields())
            guard let list = data.shares else { return }
            let shares = try text(of: list)
            harvest.answer(data.access) { answer in
                guard answer.shares.isEmpty else { return }
                answer.shares = shares
            }
        case AttributionCorrected.type:
            let data = try AttributionCorrected(fields())
            harvest.corrections.append((data.attribution, try text(of: data.shares)))
        case SettlementPosted.type:
            harvest.settled.append(try Settled(event))
        case DisputeOpened.type:
            let data = try DisputeOpened(fields())
            harvest.disputes.append((data.id, data.settlement))
        default: break
        }
    }

    /// A row keeps what it was told first: what is told again is no news.
    private func write(_ answers: [Answer], _ session: PostgresSession, _ tables: TableNames) throws {
        guard !answers.isEmpty else { return }
        _ = try session.execute(
            Statement(
                """
                insert into \(tables["answers"]) as a (reference, model, version, input_tokens, output_tokens, attribution, shares)
                select r, m, v, i, o, t, s from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], \
                $7::text[]) as e (r, m, v, i, o, t, s)
                on conflict (reference) do update set
                    model = case when a.model = '' then excluded.model else a.model end,
                    version = case when a.model = '' then excluded.version else a.version end,
                    input_tokens = case when a.model = '' then excluded.input_tokens else a.input_tokens end,
                    output_tokens = case when a.model = '' then excluded.output_tokens else a.output_tokens end,
                    shares = case when a.shares = '' then excluded.shares else a.shares end,
                    attribution = case when a.attribution = '' then excluded.attribution else a.attribution end
                """),
            [
                .textArray(answers.map(\.reference)), .textArray(answers.map(\.model)), .int8Array(answers.map { Int64($0.version) }),
                .int8Array(answers.map { Int64($0.input) }), .int8Array(answers.map { Int64($0.output) }),
                .textArray(answers.map(\.attribution)), .textArray(answers.map(\.shares)),
            ])
    }

    private func write(_ settled: [Settled], _ session: PostgresSession, _ tables: TableNames) throws {
        guard !settled.isEmpty else { return }
        var rows = BinaryCopy(columns: 9, capacity: settled.count * 200)
        for one in settled {
            rows.startRow()
            rows.append(text: one.id)
            rows.append(int8: Int64(one.position))
            rows.append(int8: one.attributed)
            rows.append(text: one.kind)
            rows.append(text: one.reference)
            rows.append(text: one.payer)
            rows.append(text: one.asset)
            rows.append(numeric: one.fee)
            rows.append(int8: one.time)
        }
        try session.copyIn(
            """
            copy \(tables["settled"]) (settlement, position, attributed, kind, reference, payer, asset, fee, time) \
            from stdin (format binary)
            """, payload: rows)
    }

    /// Canonical JSON: Datanet → owner → parts of 10^9.
    private func text(of list: EvidenceList<AttributionShare>) throws -> String {
        let shares: [AttributionShare]
        switch list {
        case .entries(let entries): shares = entries
        case .evidence(let digest, _):
            guard let bytes = evidence(digest) else { throw BillingFault("evidence", digest.prefixed, "is not in the evidence store") }
            shares = try EvidenceList<AttributionShare>.decode(bytes)
        }
        var sums: [String: [String: Int]] = [:]
        for share in shares where share.share > 0 { sums[share.datanet, default: [:]][share.owner, default: 0] += share.share }
        var datanets = JSONObject()
        for (datanet, owners) in sums {
            var object = JSONObject()
            for (owner, part) in owners { object[owner] = .count(part) }
            datanets[datanet] = .object(object)
        }
        return String(decoding: try JSON.canonical(.object(datanets)), as: UTF8.self)
    }
}
