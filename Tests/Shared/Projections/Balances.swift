import EventLog
import Events
import JSON
import Postgres
import Projections
import Synchronization
import Threads

/// A read model in which a repeated, missing or reordered event shows: sums, counts, and a chain that depends on the order.
struct Balances: Projection {
    static let sql = """
        create table billing.balances (
            account text   not null,
            total   bigint not null,
            count   bigint not null,
            chain   bigint not null,
            last    bigint not null,
            constraint balances_account primary key (account),
            constraint balances_last unique (last) deferrable initially deferred,
            constraint balances_count check (count > 0)
        ) with (fillfactor=70);
        create table billing.entries (
            position bigint not null,
            account  text   not null,
            amount   bigint not null,
            constraint entries_position primary key (position),
            constraint entries_account foreign key (account) references billing.balances (account) on delete cascade
        );
        create index entries_by_account on billing.entries (account, position) include (amount) where amount > 0;
        create unique index "entries odd Name" on billing.entries ((position + 1));
        comment on column billing.entries.amount is 'minor units';
        grant select, insert, update, delete on billing.balances, billing.entries to openledger_billing;
        """

    let name = "balances"
    let schema = "billing"
    var version = 1
    let tables = ["balances", "entries"]
    /// Called with the events before they are applied, and after: to make trouble.
    var before: @Sendable ([ProjectedEvent], PostgresSession) throws -> Void = { _, _ in }
    var after: @Sendable ([ProjectedEvent], PostgresSession) throws -> Void = { _, _ in }

    func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws {
        try before(events, session)
        let balance = Statement(
            """
            insert into \(tables["balances"]) as b (account, total, count, chain, last) values ($1, $2, 1, $2, $3)
            on conflict (account) do update set total = b.total + $2, count = b.count + 1, chain = (b.chain * 31 + $2) % 1000003, last = $3
            """)
        let entry = Statement("insert into \(tables["entries"]) (position, account, amount) values ($1, $2, $3)")
        var items: [(Statement, [PostgresValue])] = []
        for event in events where event.header.type == "deposit.received" {
            let amount = PostgresValue.int(Int64(try JSON.parse(Array(event.data)).object().int("n")))
            let account = PostgresValue.text(event.header.stream.text)
            items.append((balance, [account, amount, .int(Int64(event.position))]))
            items.append((entry, [.int(Int64(event.position)), account, amount]))
        }
        _ = try session.pipeline(items)
        try after(events, session)
    }

    /// The same fold in Swift.
    static func rows(of events: [LoggedEvent]) throws -> [String] {
        var balances: [String: (total: Int, count: Int, chain: Int, last: UInt64)] = [:]
        var entries: [String] = []
        for event in events {
            let header = try EventHeader(parsing: event.bytes)
            guard header.type == "deposit.received" else { continue }
            let amount = try JSON.parse(Array(event.bytes[header.data])).object().int("n")
            if let old = balances[header.stream.text] {
                balances[header.stream.text] = (old.total + amount, old.count + 1, (old.chain * 31 + amount) % 1_000_003, event.position)
            } else {
                balances[header.stream.text] = (amount, 1, amount, event.position)
            }
            entries.append("\(event.position) \(header.stream.text) \(amount)")
        }
        return balances.sorted { $0.key < $1.key }.map { "\($0) \($1.total) \($1.count) \($1.chain) \($1.last)" } + entries
            + ["next \(events.count)"]
    }
}

/// A switch that a test turns while others look at it.
final class Switch: Sendable {
    private let state: Lock<Bool>
    init(_ on: Bool) { state = Lock(on) }
    var isOn: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
    /// Turns it off; whether it was on.
    func take() -> Bool {
        state.withLock { on in
            defer { on = false }
            return on
        }
    }
}

/// The whole log.
func wholeLog(_ client: any LogClient) async throws -> [LoggedEvent] {
    var events: [LoggedEvent] = []
    while true {
        let batch = try await client.read(from: UInt64(events.count), limit: 4_096, wait: nil)
        if batch.events.isEmpty { return events }
        events += batch.events
    }
}
