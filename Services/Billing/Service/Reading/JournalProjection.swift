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
        for event in events where Self.types.contains(event.header.type) { try Self.addEntries(of: event, evidence, to: &entries) }
        guard !entries.isEmpty else { return }
        var balances = try balances(of: Set(entries.map(\.key)), session, tables)
        var after: [Int128] = []
        for entry in entries {
            balances[entry.key, default: 0] += entry.units
            after.append(balances[entry.key] ?? 0)
        }
        var rows = BinaryCopy(columns: 9, capacity: entries.count * 160)
        for (entry, balance) in zip(entries, after) {
            rows.startRow()
            rows.append(text: entry.key.account)
            rows.append(text: entry.key.asset)
            rows.append(int8: Int64(entry.position))
            rows.append(numeric: entry.units)
            rows.append(numeric: balance)
            rows.append(text: entry.type)
            rows.append(text: entry.subject)
            rows.append(text: entry.reference)
            rows.append(int8: entry.time)
        }
        try session.copyIn(
            """
            copy \(tables["entries"]) (account, asset, position, amount, balance, type, subject, reference, time) \
            from stdin (format binary)
            """, payload: rows)
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

    /// The types whose events have entries.
    private static let types = BillingEvent.types.subtracting([
        HoldPlaced.type, HoldReleased.type, AccountOpened.type, AccountVerified.type, WalletSet.type, BudgetSet.type, BudgetAlerted.type,
        PricePublished.type, SettlementRulesSet.type, StakeUnbonded.type,
    ])

    /// The entries of an event, one for each account and asset.
    private static func addEntries(
        of event: ProjectedEvent, _ evidence: (Digest) -> [UInt8]?, to entries: inout [Entry]
    ) throws {
        let data = event.members
        guard let list = try data.value("postings") else { return }
        var sums: [Key: Int128] = [:]
        if let inside = list["entries"]?.arrayValue {
            for entry in inside {
                guard let account = entry["account"]?.stringValue, let amount = entry["amount"], let asset = amount["asset"]?.stringValue,
                    let units = (amount["amount"]?.stringValue).flatMap({ Int128($0) })
                else { throw BillingFault(event.header.type, "\(event.position)", "has an entry that is none") }
                sums[Key(account: account, asset: asset), default: 0] += units
            }
        } else {
            for posting in try elsewhere(list, event, evidence) {
                sums[Key(account: posting.account.text, asset: posting.amount.asset.text), default: 0] += posting.amount.units
            }
        }
        // A correction is booked under what it corrects, where earnings look for it.
        let isCorrection = event.header.type == SettlementCorrected.type
        let names = isCorrection ? ["settlement"] : ["id", "settlement", "pool", "address"]
        let subject = names.lazy.compactMap { data.text($0) }.first ?? ""
        let reference = data.text("reference") ?? ""
        for (key, units) in sums.sorted(by: { ($0.key.account, $0.key.asset) < ($1.key.account, $1.key.asset) }) {
            entries.append(
                Entry(
                    key: key, position: event.position, units: units, type: event.header.type, subject: subject, reference: reference,
                    time: event.header.time.microseconds))
        }
    }

    /// A list that is named by its hash.
    private static func elsewhere(
        _ list: JSONValue, _ event: ProjectedEvent, _ evidence: (Digest) -> [UInt8]?
    ) throws -> [Posting] {
        switch try EvidenceList<Posting>(try list.object()) {
        case .entries(let entries): return entries
        case .evidence(let digest, _):
            guard let bytes = evidence(digest) else {
                throw BillingFault(event.header.type, digest.prefixed, "is not in the evidence store")
            }
            return try EvidenceList<Posting>.decode(bytes)
        }
    }
}
