internal import BillingDomain
internal import Crypto
internal import Events
internal import JSON
internal import Postgres
internal import Projections

/// Puts what concerns an account with a webhook among the deliveries, once for each event: in the transaction in which the position
/// moves on. It has no table of its own that a rebuild would make anew: what was sent was sent.
struct WebhookProjection: Projection {
    let name = "webhooks"
    let schema = "billing"
    let version = 1
    let tables: [String] = []
    let types: Set<String>? = BillingEvent.types
    let evidence: @Sendable (Digest) -> [UInt8]?

    private struct Wanted {
        let id: String
        let types: [String]
        let since: Int64
    }

    func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws {
        let rows = try session.execute(
            Statement("select id, account, types, since from billing.webhooks where ended is null", name: "webhooks that are open"))
        guard !rows.isEmpty else { return }
        var wanted: [String: [Wanted]] = [:]
        for row in rows {
            wanted[try row.text(1), default: []].append(
                Wanted(id: try row.text(0), types: try row.textArray(2), since: try row.int(3)))
        }
        for event in events { try tell(event, wanted, session) }
    }

    private func tell(_ event: ProjectedEvent, _ wanted: [String: [Wanted]], _ session: PostgresSession) throws {
        let data = try JSON.parse(Array(event.data))
        for account in try accounts(in: data) {
            for one in wanted[account] ?? []
            where Int64(event.position) >= one.since && (one.types.isEmpty || one.types.contains(event.header.type)) {
                let body = try JSON.canonical([
                    "type": .string(event.header.type), "timestamp": .string(event.header.time.description),
                    "data": [
                        "account": .string(account), "position": .count(Int(event.position)), "event": data,
                        "proof": .string("/log/v1/events/\(event.position)/proof"),
                    ],
                ])
                _ = try session.execute(
                    Statement(
                        """
                        insert into billing.deliveries (webhook, position, event, type, body) values ($1, $2, $3, $4, $5)
                        on conflict do nothing
                        """, name: "tell"),
                    [
                        .text(one.id), .int(Int64(event.position)), .text(event.header.id.text), .text(event.header.type),
                        .text(String(decoding: body, as: UTF8.self)),
                    ])
            }
        }
    }

    /// The accounts that an event is about, those whose pending part it moves included; each once.
    private func accounts(in data: JSONValue) throws -> [String] {
        var found: Set<String> = []
        func take(_ name: String) { found.insert(name.hasPrefix("pending:") ? String(name.dropFirst(8)) : name) }
        for member in ["account", "payer"] { if let name = data[member]?.stringValue { take(name) } }
        if let list = data["postings"] {
            switch try EvidenceList<Posting>(try list.object()) {
            case .entries(let entries): for entry in entries { take(entry.account.text) }
            case .evidence(let digest, _):
                guard let bytes = evidence(digest) else { throw BillingFault("evidence", digest.prefixed, "is not in the evidence store") }
                for entry in try EvidenceList<Posting>.decode(bytes) { take(entry.account.text) }
            }
        }
        return found.sorted()
    }
}
