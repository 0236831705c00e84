internal import BillingDomain
internal import Crypto
internal import Events
internal import JSON
internal import Money
internal import Postgres
internal import Projections

/// Every entry of every account with the balance after it, so that a balance as of any position is one look into an index, and
/// a statement is a range of rows.
struct JournalProjection: Projection {
    let name = "journal"
    let schema = "billing"
    let version = 1
    let tables = ["balances", "entries"]
    let evidence: @Sendable (Digest) -> [UInt8]?

    private struct Key: Hashable {
        let account: String
        let asset: String
    }

    private struct Entry {
        let key: Key
        let position: UInt64
        let units: Int128
        let type: String
        let subject: String
        let reference: String
        let time: Int64
    }

    func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws {
        var entries: [Entry] = []
        for event in events where BillingEvent.types.contains(event.header.type) { entries += try Self.entries(of: event, evidence) }
        guard !entries.isEmpty else { return }
        var balances = try balances(of: Set(entries.map(\.key)), session, tables)
        var after: [Int128] = []
        for entry in entries {
            balances[entry.key, default: 0] += entry.units
            after.append(balances[entry.key] ?? 0)
        }
        _ = try session.execute(
            Statement(
                """
                insert into \(tables["entries"]) (account, asset, position, amount, balance, type, subject, reference, time)
                select a, s, p, m::numeric, b::numeric, t, u, r, w from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], \
                $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[]) as e (a, s, p, m, b, t, u, r, w)
                """),
            [
                .textArray(entries.map(\.key.account)), .textArray(entries.map(\.key.asset)),
                .int8Array(entries.map { Int64($0.position) }),
                .textArray(entries.map { String($0.units) }), .textArray(after.map { String($0) }), .textArray(entries.map(\.type)),
                .textArray(entries.map(\.subject)), .textArray(entries.map(\.reference)), .int8Array(entries.map(\.time)),
            ])
        let changed = balances.sorted { ($0.key.account, $0.key.asset) < ($1.key.account, $1.key.asset) }
        _ = try session.execute(
            Statement(
                """
                insert into \(tables["balances"]) (account, asset, balance)
                select a, s, b::numeric from unnest($1::text[], $2::text[], $3::text[]) as e (a, s, b)
                on conflict (account, asset) do update set balance = excluded.balance
                """),
            [
                .textArray(changed.map(\.key.account)), .textArray(changed.map(\.key.asset)), .textArray(changed.map { String($0.value) }),
            ])
    }

    private func balances(of keys: Set<Key>, _ session: PostgresSession, _ tables: TableNames) throws -> [Key: Int128] {
        let keys = Array(keys)
        let rows = try session.execute(
            Statement(
                """
                select b.account, b.asset, b.balance from \(tables["balances"]) b
                join unnest($1::text[], $2::text[]) as k (account, asset) on b.account = k.account and b.asset = k.asset
                """), [.textArray(keys.map(\.account)), .textArray(keys.map(\.asset))])
        var balances: [Key: Int128] = [:]
        for row in rows { balances[Key(account: try row.text(0), asset: try row.text(1))] = try row.int128(2) }
        return balances
    }

    /// The entries of an event, one for each account and asset.
    private static func entries(of event: ProjectedEvent, _ evidence: (Digest) -> [UInt8]?) throws -> [Entry] {
        let data = try JSON.parse(Array(event.data))
        guard let list = data["postings"] else { return [] }
        let postings: [Posting]
        switch try EvidenceList<Posting>(try list.object()) {
        case .entries(let entries): postings = entries
        case .evidence(let digest, _):
            guard let bytes = evidence(digest) else {
                throw BillingFault(event.header.type, digest.prefixed, "is not in the evidence store")
            }
            postings = try EvidenceList<Posting>.decode(bytes)
        }
        var sums: [Key: Int128] = [:]
        for posting in postings {
            sums[Key(account: posting.account.text, asset: posting.amount.asset.text), default: 0] += posting.amount.units
        }
        // A correction is booked under what it corrects, where earnings look for it.
        let isCorrection = event.header.type == SettlementCorrected.type
        let names = isCorrection ? ["settlement"] : ["id", "settlement", "pool", "address"]
        let subject = names.lazy.compactMap { data[$0]?.stringValue }.first ?? ""
        return sums.sorted { ($0.key.account, $0.key.asset) < ($1.key.account, $1.key.asset) }.map { key, units in
            Entry(
                key: key, position: event.position, units: units, type: event.header.type, subject: subject,
                reference: data["reference"]?.stringValue ?? "", time: event.header.time.microseconds)
        }
    }
}
