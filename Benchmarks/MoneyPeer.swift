import Foundation
import Postgres
import PrivatePostgres

/// Double entry as it is written row by row in SQL: each transfer locks two balances and writes two entries, in one call of a function,
/// which spares it round trips. Run by pgbench over the same server.
struct MoneyPeer {
    let cluster: PrivateCluster
    let folder: URL

    static let accounts = 1_000

    static func prepare(_ cluster: PrivateCluster) async throws -> MoneyPeer {
        let connection = try await PostgresConnection.connect(try PostgresConfiguration(url: cluster.url()))
        _ = try await connection.executeScript(
            """
            drop schema if exists money cascade;
            create schema money;
            create table money.accounts (id bigint primary key, balance numeric not null) with (fillfactor = 50);
            create table money.transfers (
                id bigserial primary key, source bigint not null, destination bigint not null, amount numeric not null,
                created timestamptz not null default clock_timestamp());
            create table money.entries (
                transfer bigint not null references money.transfers, account bigint not null references money.accounts,
                amount numeric not null, balance numeric not null, primary key (account, transfer));
            insert into money.accounts select n, 1000000000000 from generate_series(0, \(accounts)) n;
            create function money.transfer(source bigint, destination bigint, amount numeric) returns bigint language plpgsql as $$
            declare
                made bigint;
                before_source numeric;
                before_destination numeric;
            begin
                -- The lower number first, so that no two transfers wait for each other.
                if source < destination then
                    select a.balance into before_source from money.accounts a where a.id = source for update;
                    select a.balance into before_destination from money.accounts a where a.id = destination for update;
                else
                    select a.balance into before_destination from money.accounts a where a.id = destination for update;
                    select a.balance into before_source from money.accounts a where a.id = source for update;
                end if;
                if before_source < amount then raise exception 'insufficient'; end if;
                update money.accounts a set balance = before_source - amount where a.id = source;
                update money.accounts a set balance = before_destination + amount where a.id = destination;
                insert into money.transfers (source, destination, amount) values (source, destination, amount) returning id into made;
                insert into money.entries values (made, source, -amount, before_source - amount),
                    (made, destination, amount, before_destination + amount);
                return made;
            end $$;
            -- An empty start would halve what it reaches.
            select money.transfer(1 + n % \(accounts), 1 + (n * 7 + 1) % \(accounts), 1)
                from generate_series(1, 20000) n where n % \(accounts) <> (n * 7 + 1) % \(accounts);
            analyze money.accounts, money.transfers, money.entries;
            """)
        await connection.close()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-money-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try """
        \\set source random(1, \(accounts / 2))
        \\set destination random(\(accounts / 2 + 1), \(accounts))
        select money.transfer(:source, :destination, 5);

        """.write(to: folder.appendingPathComponent("spread.sql"), atomically: true, encoding: .utf8)
        // Account 0 is the platform's.
        try """
        \\set source random(1, \(accounts))
        select money.transfer(:source, 0, 5);

        """.write(to: folder.appendingPathComponent("hot.sql"), atomically: true, encoding: .utf8)
        return MoneyPeer(cluster: cluster, folder: folder)
    }

    /// Transfers a second between accounts drawn by lot.
    func spread(clients: Int, seconds: Int) async throws -> Double { try await run("spread.sql", clients, seconds) }
    /// Transfers a second into one account.
    func hot(clients: Int, seconds: Int) async throws -> Double { try await run("hot.sql", clients, seconds) }

    private func run(_ script: String, _ clients: Int, _ seconds: Int) async throws -> Double {
        let bench = PgBench(cluster: cluster, folder: folder)
        return try await bench.run(script, clients, seconds)
    }
}
