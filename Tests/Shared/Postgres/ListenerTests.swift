import Postgres
import TestSupport
import Testing

@Suite struct ListenerTests {
    private static func backends(_ database: TestDatabase) async throws -> String {
        try await database.sql(
            "select coalesce(string_agg(pid::text, ','), '') from pg_stat_activity where datname = current_database() and application_name like '%listener'"
        )
    }

    @Test func notificationsOfItsChannelsArrive() async throws {
        try await withDatabase { database in
            let listener = PostgresListener(try database.configuration, channels: ["news", "Odd \"name\"; --"])
            var events = listener.events.makeAsyncIterator()
            #expect(await events.next() == .connected)
            let connection = try await PostgresConnection.connect(try database.configuration)
            try await connection.execute("select pg_notify($1, $2)", ["other", "not for us"])
            try await connection.execute("select pg_notify($1, $2)", ["news", "one"])
            try await connection.execute("select pg_notify($1, $2)", ["Odd \"name\"; --", "zwei 🐘"])
            let sender = connection.backendIdentifier
            #expect(await events.next() == .notification(PostgresNotification(channel: "news", payload: "one", sender: sender)))
            #expect(
                await events.next() == .notification(PostgresNotification(channel: "Odd \"name\"; --", payload: "zwei 🐘", sender: sender)))
            listener.stop()
            #expect(await events.next() == nil)
            await connection.close()
        }
    }

    @Test func aLostConnectionIsToldAndMadeAgain() async throws {
        try await withDatabase { database in
            let listener = PostgresListener(try database.configuration, channels: ["news"])
            var events = listener.events.makeAsyncIterator()
            #expect(await events.next() == .connected)
            try await database.sql("select pg_terminate_backend(\(try await Self.backends(database)))")
            guard case .disconnected(let error) = await events.next() else {
                Issue.record("the loss was not told")
                return
            }
            #expect(error.isConnectionLost)
            #expect(await events.next() == .reconnected)
            try await database.sql("notify news, 'again'")
            guard case .notification(let notification) = await events.next() else {
                Issue.record("nothing heard after the reconnection")
                return
            }
            #expect(notification.payload == "again")
            listener.stop()
        }
    }

    @Test func aSlowConsumerIsToldThatItMissedSome() async throws {
        try await withDatabase { database in
            let listener = PostgresListener(try database.configuration, channels: ["news"], capacity: 8)
            var events = listener.events.makeAsyncIterator()
            #expect(await events.next() == .connected)
            // A reader that is quick enough misses nothing: then it is tried again, and no round waits for what can't come.
            var missed = false
            for _ in 0..<50 where !missed {
                try await database.sql("select pg_notify('news', n::text) from generate_series(1, 1000) n")
                var heard = 0
                var isLast = false
                while !missed, !isLast, let event = await events.next() {
                    if case .notification(let notification) = event {
                        heard += 1
                        isLast = notification.payload == "1000"
                    }
                    missed = event == .missed
                }
                if missed { #expect(heard < 1_000) }
            }
            #expect(missed)
            listener.stop()
        }
    }

    @Test func lettingGoOfItClosesTheConnection() async throws {
        try await withDatabase { database in
            do {
                let listener = PostgresListener(try database.configuration, channels: ["news"])
                var events = listener.events.makeAsyncIterator()
                #expect(await events.next() == .connected)
            }
            try await eventually("the backend to be gone") { try await Self.backends(database) == "" }
        }
    }

    @Test func aServerThatCannotBeReachedIsToldOnce() async throws {
        let configuration = PostgresConfiguration(host: "127.0.0.1", port: try freePort(), database: "d", user: "u")
        let listener = PostgresListener(configuration, channels: ["news"])
        var events = listener.events.makeAsyncIterator()
        guard case .disconnected(let error) = await events.next() else {
            Issue.record("not told")
            return
        }
        #expect(error.code == .connectionFailed)
        listener.stop()
        #expect(await events.next() == nil)
    }
}
