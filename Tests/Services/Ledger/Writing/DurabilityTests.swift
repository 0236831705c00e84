import EventLog
import Events
import TestSupport
import Testing

@testable import LedgerService

/// What is answered for is on disk, whatever the server, the database or the role says of commits.
@Suite struct DurabilityTests {
    @Test func `small batches and checkpoints wait for the disk where the role's commits do not`() async throws {
        try await withLedgerDatabase { database in
            let name = database.database.name
            try await database.database.sql(
                """
                alter role openledger_ledger in database "\(name)" set synchronous_commit = off;
                create table public.modes (what text, mode text);
                create function public.note_mode() returns trigger language plpgsql security definer as $$
                begin
                    insert into public.modes values (tg_table_name, current_setting('synchronous_commit'));
                    return new;
                end $$;
                create trigger note_mode after insert on ledger.events for each row execute function public.note_mode();
                create trigger note_mode after insert on ledger.checkpoints for each row execute function public.note_mode();
                """)
            try await database.withLedger { ledger in
                _ = try await ledger.append(try Sample.append("c1"), writer: .billing)
                _ = try await ledger.append(try Sample.append("c2", "account/b", "account/c"), writer: .billing)
                try await eventually { ledger.checkpointer.latest?.checkpoint.size == 3 }
            }
            let modes = try await database.database.sql("select distinct what || ' ' || mode from public.modes order by 1")
            #expect(modes.split(separator: "\n") == ["checkpoints on", "events on"])
        }
    }
}
