import Postgres
import TestSupport
import Testing

@Suite struct CancellationTests {
    /// Waits until the backend runs a statement, seen from another connection.
    private func waitUntilActive(_ database: TestDatabase, _ backend: Int32) async throws {
        try await eventually("backend \(backend) to be active") {
            try await database.sql(
                "select count(*) from pg_stat_activity where pid = \(backend) and query like '%pg_sleep%' and state = 'active'") == "1"
        }
    }

    private func waitUntilIdle(_ database: TestDatabase, _ backend: Int32) async throws {
        try await eventually("backend \(backend) to be idle") {
            try await database.sql("select state from pg_stat_activity where pid = \(backend)") == "idle"
        }
    }

    @Test func cancellingTheTaskStopsTheStatementAtTheServer() async throws {
        try await withDatabase { database in
            let connection = try await PostgresConnection.connect(try database.configuration)
            let task = Task { try await connection.execute("select pg_sleep(600)") }
            try await waitUntilActive(database, connection.backendIdentifier)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await waitUntilIdle(database, connection.backendIdentifier)
            let found1 = try await connection.execute("select 1 as n").one().int("n")
            #expect(found1 == 1)
            await connection.close()
        }
    }

    @Test func aCancelledTaskSendsNothing() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("create table t (id int8)")
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await connection.execute("insert into t values (1)")
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            let found2 = try await connection.execute("select count(*) as n from t").one().int("n")
            #expect(found2 == 0)
        }
    }

    @Test func aCancelledTransactionIsRolledBack() async throws {
        try await withDatabase { database in
            let connection = try await PostgresConnection.connect(try database.configuration)
            try await connection.executeScript("create table t (id int8)")
            let task = Task {
                try await connection.transaction { tx in
                    try await tx.execute("insert into t values (1)")
                    try await tx.execute("select pg_sleep(600)")
                }
            }
            try await waitUntilActive(database, connection.backendIdentifier)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(!connection.isBroken)
            let found3 = try await connection.execute("select count(*) as n from t").one().int("n")
            #expect(found3 == 0)
            await connection.close()
        }
    }

    @Test func aBatchOfStatementsIsStoppedBetweenThemToo() async throws {
        try await withTestConnection { connection in
            let task = Task {
                try await connection.withSession { session in
                    // Each is short: the request often comes between two of them.
                    while true { try session.execute("select pg_sleep(0.001)") }
                }
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let one = try await connection.execute("select 1 as n").one().int("n")
            #expect(one == 1)
        }
    }

    /// A cancel request names a backend, not a statement: it must never hit the next statement.
    @Test func cancellationNeverHitsTheNextStatement() async throws {
        var random = Seed.generator()
        try await withTestConnection { connection in
            for _ in 0..<150 {
                let task = Task { try await connection.execute("select pg_sleep(0.002)") }
                let spin = Int.random(in: 0...20, using: &random)
                for _ in 0..<spin { await Task.yield() }
                task.cancel()
                _ = try? await task.value
                let one = try await connection.execute("select 1 as n").one().int("n")
                #expect(one == 1)
            }
        }
    }

    @Test func aStatementTimeoutIsAnErrorAndNotACancellation() async throws {
        try await withDatabase { database in
            var configuration = try database.configuration
            configuration.statementTimeoutMilliseconds = 50
            let connection = try await PostgresConnection.connect(configuration)
            let error = try await postgresError { try await connection.execute("select pg_sleep(600)") }
            #expect(error.code == .queryCanceled)
            #expect(error.message.contains("statement timeout"))
            await connection.close()
        }
    }

    @Test func aLockTimeoutIsAnError() async throws {
        try await withDatabase { database in
            var configuration = try database.configuration
            configuration.lockTimeoutMilliseconds = 50
            let pool = PostgresPool(configuration, size: 2)
            try await pool.execute("create table t (id int8)")
            try await pool.transaction { tx in
                try await tx.execute("lock table t")
                let error = try await postgresError { try await pool.execute("select * from t") }
                #expect(error.code == .lockNotAvailable)
            }
            await pool.close()
        }
    }

    /// Waiting statements hold up threads of their own, never those that all tasks share.
    @Test func waitingStatementsDoNotHoldUpOtherTasks() async throws {
        try await withTestPool(size: 4) { pool in
            // Connected beforehand, so that only the waiting is measured.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { _ = try await pool.execute("select pg_sleep(0.05)") } }
                try await group.waitForAll()
            }
            let clock = ContinuousClock()
            let sleepers = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 { group.addTask { _ = try await pool.execute("select pg_sleep(1)") } }
                    try await group.waitForAll()
                }
                return clock.now
            }
            var worst = Duration.zero
            var last = clock.now
            let end = last + .milliseconds(900)
            while last < end {
                try await Task.sleep(for: .milliseconds(5))
                worst = max(worst, clock.now - last)
                last = clock.now
            }
            let found4 = try await sleepers.value
            #expect(found4 > end - .milliseconds(100))
            // A blocked pool of two threads would show a gap of a second and more; the rest is the machine's noise.
            #expect(worst < .milliseconds(700), "the ticker stood still for \(worst)")
        }
    }

    @Test func connectingCanBeCancelled() async throws {
        let server = try SilentServer()
        var configuration = PostgresConfiguration(host: "127.0.0.1", port: server.port, database: "d", user: "u")
        configuration.connectTimeoutSeconds = 600
        configuration.sslMode = .disable
        let task = Task { [configuration] in _ = try await PostgresConnection.connect(configuration) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func connectingToASilentServerEndsInTime() async throws {
        let server = try SilentServer()
        var configuration = PostgresConfiguration(host: "127.0.0.1", port: server.port, database: "d", user: "u")
        configuration.connectTimeoutSeconds = 1
        let error = try await postgresError { _ = try await PostgresConnection.connect(configuration) }
        #expect(error.code == .connectionFailed)
        #expect(error.message.contains("within 1 s"))
    }
}
