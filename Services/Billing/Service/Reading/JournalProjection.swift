internal import BillingDomain
internal import Crypto
internal import Events
internal import JSON
internal import Money
internal import Postgres
internal import Projections

/// Every entry of every account with the balance after it, so that a balance as of any position is one look into an index, and
/// a statement is a range of rows. Accounts have numbers, in the order of their first entries.
struct JournalProjection: Projection {
    let name = "journal"
    let schema = "billing"
    let version = 3
    let tables = ["balances", "entries", "booked"]
    let types: Set<String>? = Self.withEntries
    let evidence: @Sendable (Digest) -> [UInt8]?

    private struct Booked {
        let position: UInt64
        let type: String
        let subject: String
        let reference: String
        /// When it happened.
        let time: Int64
        /// One for each account and asset, in the order of their names.
        let entries: [BookedEntry]
    }

    /// A row of the entries.
    private struct Entry {
        let account: Int32
        let position: Int64
        let amount: Int128
        let balance: Int128
        let time: Int64
    }

    /// An account as the rows have it, or as this batch makes it.
    private struct Standing {
        let number: Int32
        let isNew: Bool
        var balance: Int128 = 0
    }

    func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws {
        let booked = try events.compactMap { try Self.booked($0, evidence) }
        guard !booked.isEmpty else { return }
        var standings = try standings(of: booked, session, tables)
        var entries = BinaryCopy(columns: 5, capacity: booked.count * 512)
        var events = BinaryCopy(columns: 5, capacity: booked.count * 128)
        var made: [Entry] = []
        made.reserveCapacity(booked.count * 16)
        // Entries are of the log time at which they were booked: what happened before a month was over and is booked later would change what
        // was said of it.
        var time =
            try session.execute(
                Statement("select time from \(tables["booked"]) order by position desc limit 1", name: "booked last"), []
            ).first?.int(0) ?? 0
        for event in booked {
            time = max(time, event.time)
            events.startRow()
            events.append(int8: Int64(event.position))
            events.append(text: event.type)
            events.append(text: event.subject)
            events.append(text: event.reference)
            events.append(int8: time)
            for entry in event.entries {
                guard var standing = standings[entry.place] else { continue }
                standing.balance += entry.units
                standings[entry.place] = standing
                made.append(
                    Entry(
                        account: standing.number, position: Int64(event.position), amount: entry.units, balance: standing.balance,
                        time: time))
            }
        }
        // Account by account, so that the index is changed in as few places as may be.
        made.sort { $0.account != $1.account ? $0.account < $1.account : $0.position < $1.position }
        for entry in made {
            entries.startRow()
            entries.append(int4: entry.account)
            entries.append(int8: entry.position)
            entries.append(numeric: entry.amount)
            entries.append(numeric: entry.balance)
            entries.append(int8: entry.time)
        }
        try session.copyIn(
            "copy \(tables["booked"]) (position, type, subject, reference, time) from stdin (format binary)", payload: events)
        try session.copyIn(
            "copy \(tables["entries"]) (account, position, amount, balance, time) from stdin (format binary)", payload: entries)
        try keep(standings, session, tables)
    }

    /// The accounts that the entries touch, those that have no row yet with the next numbers.
    private func standings(
        of booked: [Booked], _ session: PostgresSession, _ tables: TableNames
    ) throws -> [BookedEntry.Place: Standing] {
        var seen: Set<BookedEntry.Place> = []
        var places: [BookedEntry.Place] = []
        for event in booked { for entry in event.entries where seen.insert(entry.place).inserted { places.append(entry.place) } }
        let rows = try session.execute(
            Statement(
                """
                select b.account, b.asset, b.number, b.balance from \(tables["balances"]) b
                join unnest($1::text[], $2::text[]) as k (account, asset) on b.account = k.account and b.asset = k.asset
                """), [.textArray(places.map(\.account)), .textArray(places.map(\.asset))])
        var standings: [BookedEntry.Place: Standing] = [:]
        standings.reserveCapacity(places.count)
        for row in rows {
            standings[BookedEntry.Place(account: try row.text(0), asset: try row.text(1))] = Standing(
                number: Int32(truncatingIfNeeded: try row.int(2)), isNew: false, balance: try row.int128(3))
        }
        guard standings.count < places.count else { return standings }
        var next = try session.execute(Statement("select coalesce(max(number) + 1, 0)::bigint from \(tables["balances"])"), []).one().int(0)
        for place in places where standings[place] == nil {
            guard let number = Int32(exactly: next) else {
                throw BillingFault("account", place.account, "is one more than rows can number")
            }
            standings[place] = Standing(number: number, isNew: true)
            next += 1
        }
        return standings
    }

    private func keep(_ standings: [BookedEntry.Place: Standing], _ session: PostgresSession, _ tables: TableNames) throws {
        var added = BinaryCopy(columns: 4)
        var numbers: [Int64] = []
        var balances: [String] = []
        for (place, standing) in standings.sorted(by: { $0.value.number < $1.value.number }) {
            if standing.isNew {
                added.startRow()
                added.append(int4: standing.number)
                added.append(text: place.account)
                added.append(text: place.asset)
                added.append(numeric: standing.balance)
            } else {
                numbers.append(Int64(standing.number))
                balances.append(String(standing.balance))
            }
        }
        if added.rows > 0 {
            try session.copyIn(
                "copy \(tables["balances"]) (number, account, asset, balance) from stdin (format binary)", payload: added)
        }
        guard !numbers.isEmpty else { return }
        _ = try session.execute(
            Statement(
                """
                update \(tables["balances"]) b set balance = e.balance::numeric
                from unnest($1::bigint[], $2::text[]) as e (number, balance) where b.number = e.number::integer
                """), [.int8Array(numbers), .textArray(balances)])
    }

    /// The types whose events have entries.
    private static let withEntries = BillingEvent.types.subtracting([
        HoldPlaced.type, HoldReleased.type, ReactionClosed.type, PayoutSent.type, AccountOpened.type, AccountVerified.type, WalletSet.type,
        BudgetSet.type, BudgetAlerted.type,
        PricePublished.type, SettlementRulesSet.type, StakeUnbonded.type,
    ])

    /// What an event books; nil when it books nothing.
    private static func booked(_ event: ProjectedEvent, _ evidence: (Digest) -> [UInt8]?) throws -> Booked? {
        let data = event.members
        guard let list = data.range("postings") else { return nil }
        let entries = try BookedEntry.read(event, list, evidence)
        guard !entries.isEmpty else { return nil }
        // A correction is booked under what it corrects, where earnings look for it.
        let isCorrection = event.header.type == SettlementCorrected.type
        let names = isCorrection ? ["settlement"] : ["id", "settlement", "pool", "address"]
        return Booked(
            position: event.position, type: event.header.type, subject: names.lazy.compactMap { data.text($0) }.first ?? "",
            reference: data.text("reference") ?? "", time: event.header.time.microseconds, entries: entries)
    }
}
