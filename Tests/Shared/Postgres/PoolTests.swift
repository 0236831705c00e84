import Postgres
import PrivatePostgres
import TestSupport
import Testing

@Suite struct PoolTests {
    @Test func connectionsAreMadeWhenNeededAndUsedAgain() async throws {
        try await withTestPool(size: 3) { pool in
            #expect(pool.metrics.size == 0)
            for _ in 0..<5 { try await pool.execute("select 1") }
            #expect(pool.metrics.size == 1)
            #expect(pool.metrics.created == 1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { _ = try await pool.execute("select pg_sleep(0.01)") } }
                try await group.waitForAll()
            }
            #expect(pool.metrics.size == 3)
            // One that was still being made when nobody waited any more is kept too.
            try await eventually("all three to lie idle") { pool.metrics.idle == 3 }
            #expect(pool.metrics.leased == 0)
        }
    }

    @Test func waitersAreServedFirstComeFirstServed() async throws {
        try await withTestPool(size: 1) { pool in
            let order = Notes<Int>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await pool.withConnection { _ in
                    for number in 0..<20 {
                        group.addTask { try await pool.withConnection { _ in order.add(number) } }
                        // Each is in the queue before the next comes.
                        try await eventually("\(number) to wait") { pool.metrics.waiting == number + 1 }
                    }
                }
                try await group.waitForAll()
            }
            #expect(order.all == Array(0..<20))
        }
    }

    @Test func aCallerWaitsOnlySoLong() async throws {
        try await withTestPool(size: 1, change: { $0.leaseTimeout = .milliseconds(30) }) { pool in
            // On a busy machine connecting takes longer than that.
            try await eventually("a connection") { (try? await pool.execute("select 1")) != nil }
            let before = pool.metrics.timedOut
            try await pool.withConnection { _ in
                await #expect(throws: PoolError.leaseTimeout(waited: .milliseconds(30), size: 1, lastFailure: nil)) {
                    try await pool.execute("select 1")
                }
                #expect(pool.metrics.waiting == 0)
                #expect(pool.metrics.timedOut == before + 1)
            }
            try await pool.execute("select 1")
        }
    }

    @Test func aCancelledWaiterLeavesTheQueue() async throws {
        try await withTestPool(size: 1) { pool in
            try await pool.withConnection { _ in
                let task = Task { try await pool.execute("select 1") }
                try await eventually("it to wait") { pool.metrics.waiting == 1 }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(pool.metrics.waiting == 0)
            }
            try await pool.execute("select 1")
        }
    }

    @Test func theQueueIsBounded() async throws {
        try await withTestPool(size: 1, change: { $0.maximumWaiting = 1 }) { pool in
            try await pool.withConnection { _ in
                let first = Task { try await pool.execute("select 1") }
                try await eventually("it to wait") { pool.metrics.waiting == 1 }
                await #expect(throws: PoolError.self) { try await pool.execute("select 1") }
                first.cancel()
                _ = try? await first.value
            }
        }
    }

    @Test func aBackendKilledInUseIsReplaced() async throws {
        try await withDatabase { database in
            let pool = PostgresPool(try database.configuration, size: 1)
            let error = try await postgresError {
                try await pool.withConnection { connection in
                    let backend = connection.backendIdentifier
                    try await database.sql("select pg_terminate_backend(\(backend))")
                    try await eventually("the backend to be gone") {
                        try await database.sql("select count(*) from pg_stat_activity where pid = \(backend)") == "0"
                    }
                    try await connection.execute("select 1")
                }
            }
            #expect(error.isConnectionLost)
            try await pool.execute("select 1")
            #expect(pool.metrics.lost == 1)
            #expect(pool.metrics.created == 2)
            await pool.close()
        }
    }

    @Test func aBackendKilledWhileIdleIsNeverLent() async throws {
        try await withDatabase { database in
            let pool = PostgresPool(try database.configuration, size: 1)
            for round in 1...3 {
                let backend = try await pool.withConnection { $0.backendIdentifier }
                try await database.sql("select pg_terminate_backend(\(backend))")
                try await eventually("the backend to be gone") {
                    try await database.sql("select count(*) from pg_stat_activity where pid = \(backend)") == "0"
                }
                try await pool.execute("select 1")
                #expect(pool.metrics.lost == round)
            }
            await pool.close()
        }
    }

    @Test func aBackendKilledInATransactionFailsItAndThePoolGoesOn() async throws {
        try await withDatabase { database in
            let pool = PostgresPool(try database.configuration, size: 2)
            try await pool.execute("create table t (id int8)")
            let error = try await postgresError {
                try await pool.transaction { tx in
                    try await tx.execute("insert into t values (1)")
                    try await tx.execute("select pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(error.isConnectionLost)
            #expect(!error.isRetriable)
            let count = try await pool.execute("select count(*) as n from t").one().int("n")
            #expect(count == 0)
            await pool.close()
        }
    }

    @Test func aTransactionLeftOpenByScriptIsNotLentOn() async throws {
        try await withTestPool(size: 1) { pool in
            try await pool.execute("create table t (id int8)")
            try await pool.withConnection { connection in
                try await connection.executeScript("begin; insert into t values (1)")
            }
            let count = try await pool.execute("select count(*) as n from t").one().int("n")
            #expect(count == 0)
        }
    }

    /// Two transactions that each read what the other writes: one of them is run again, and both are done.
    @Test func aSerializationFailureIsRunAgain() async throws {
        try await withTestPool(size: 4) { pool in
            try await pool.withSession {
                try $0.executeScript("create table t (who text, sum int8); insert into t values ('a', 10), ('b', 20)")
            }
            let runs = Notes<String>()
            let bothHaveRead = Barrier(parties: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (mine, other) in [("a", "b"), ("b", "a")] {
                    group.addTask {
                        try await pool.transaction(isolation: .serializable) { tx in
                            let sum = try await tx.execute("select sum(sum)::int8 as s from t where who = $1", [.text(mine)]).one().int("s")
                            let isFirst = !runs.all.contains(mine)
                            runs.add(mine)
                            if isFirst { await bothHaveRead.arrive() }
                            try await tx.execute("insert into t values ($1, $2)", [.text(other), .int(sum)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(runs.all.count > 2)
            // As if one came after the other: the second saw what the first had written.
            let sums = try await pool.execute("select sum from t order by sum").map { try $0.int("sum") }
            #expect(sums == [10, 10, 20, 30] || sums == [10, 20, 20, 30])
        }
    }

    @Test func aDeadlockIsRunAgain() async throws {
        try await withTestPool(size: 4) { pool in
            try await pool.withSession { session in
                try session.executeScript("create table t (id int8 primary key, n int8); insert into t values (1, 0), (2, 0)")
            }
            let runs = Notes<Int64>()
            let bothHold = Barrier(parties: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (first, second): (Int64, Int64) in [(1, 2), (2, 1)] {
                    group.addTask {
                        try await pool.transaction { tx in
                            try await tx.execute("update t set n = n + 1 where id = $1", [.int(first)])
                            let isFirst = !runs.all.contains(first)
                            runs.add(first)
                            if isFirst { await bothHold.arrive() }
                            try await tx.execute("update t set n = n + 1 where id = $1", [.int(second)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(runs.all.count == 3)
            let numbers = try await pool.execute("select n from t").map { try $0.int("n") }
            #expect(numbers == [2, 2])
        }
    }

    @Test func retriesEnd() async throws {
        try await withTestPool { pool in
            let runs = Notes<Int>()
            let error = try await postgresError {
                try await pool.transaction(retries: 2) { tx in
                    runs.add(1)
                    try await tx.executeScript("do $$ begin raise exception 'no order' using errcode = '40001'; end $$")
                }
            }
            #expect(error.code == .serializationFailure)
            #expect(runs.all.count == 3)
        }
    }

    @Test func aRefusedLogInIsToldAtOnce() async throws {
        try await withDatabase { database in
            var configuration = try database.configuration
            configuration.database = "no_such_database"
            var options = PoolOptions(size: 2)
            options.leaseTimeout = .seconds(300)
            let pool = PostgresPool(configuration, options: options)
            let error = try await postgresError { try await pool.execute("select 1") }
            #expect(error.code == .invalidCatalogName)
            #expect(error.message.contains("no_such_database"))
            #expect(pool.metrics.failed == 1)
            await pool.close()
        }
    }

    @Test func callersWaitForAServerThatIsAwayAndHearWhyInTheEnd() async throws {
        var configuration = PostgresConfiguration(host: "127.0.0.1", port: try freePort(), database: "d", user: "u")
        configuration.sslMode = .disable
        let pool = PostgresPool(configuration, options: PoolOptions(size: 1, leaseTimeout: .milliseconds(400)))
        do {
            try await pool.execute("select 1")
            Issue.record("connected")
        } catch PoolError.leaseTimeout(_, _, let failure) {
            #expect(failure?.code == .connectionFailed)
        }
        #expect(pool.metrics.failed > 1)
        await pool.close()
    }

    @Test func aRestartOfTheServerIsRiddenOut() async throws {
        let folder = try TemporaryFolder("pool-restart")
        let cluster = try await PrivateCluster.start(directory: folder.path + "/pg", options: ClusterOptions(settings: ["fsync": "off"]))
        let pool = PostgresPool(try PostgresConfiguration(url: cluster.url()), options: PoolOptions(size: 3, leaseTimeout: .seconds(60)))
        try await pool.execute("create table t (id int8)")
        try await cluster.stop()
        // Asked while the server is away, answered when it is back.
        let waiting = Task { try await pool.execute("insert into t values (1)").affected }
        try await eventually("an attempt to fail") { pool.metrics.failed > 0 }
        try await cluster.restart()
        let affected = try await waiting.value
        #expect(affected == 1)
        // And after a crash, with connections lying idle.
        try await cluster.kill()
        try await cluster.restart()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 { group.addTask { _ = try await pool.execute("insert into t values ($1)", [.int(Int64(number))]) } }
            try await group.waitForAll()
        }
        await pool.close()
        try await cluster.stop()
    }

    @Test func closingWaitsForWhatIsLent() async throws {
        try await withDatabase { database in
            let pool = PostgresPool(try database.configuration, size: 1)
            let (started, start) = AsyncStream.makeStream(of: Int32.self)
            let (gate, open) = AsyncStream.makeStream(of: Void.self)
            let order = Notes<String>()
            let user = Task {
                try await pool.withConnection { connection in
                    start.yield(connection.backendIdentifier)
                    for await _ in gate { break }
                    try await connection.execute("select 1")
                    order.add("used")
                }
            }
            for await _ in started { break }
            let waiter = Task { try await pool.execute("select 1") }
            try await eventually("the second to wait") { pool.metrics.waiting == 1 }
            let closing = Task {
                await pool.close()
                order.add("closed")
            }
            // Whoever waits is sent away as the closing begins; what is lent is used to its end.
            await #expect(throws: PoolError.closed) { try await waiter.value }
            open.yield()
            try await user.value
            await closing.value
            #expect(order.all == ["used", "closed"])
            await #expect(throws: PoolError.closed) { try await pool.execute("select 1") }
            try await eventually("the backends to be gone") {
                try await database.sql(
                    "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'openledger'")
                    == "0"
            }
            // Twice is once.
            await pool.close()
        }
    }

    @Test func manyTasksShareFewConnections() async throws {
        try await withTestPool(size: 3) { pool in
            try await pool.execute("create table t (id int8 primary key)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        if number % 3 == 0 {
                            try await pool.transaction { tx in _ = try await tx.execute("insert into t values ($1)", [.int(Int64(number))])
                            }
                        } else {
                            try await pool.execute("insert into t values ($1)", [.int(Int64(number))])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let count = try await pool.execute("select count(*) as n from t").one().int("n")
            #expect(count == 300)
            #expect(pool.metrics.size <= 3)
        }
    }

    /// Callers that come and are cancelled at random: no connection is lost on the way.
    @Test func randomCancellationsLoseNoConnection() async throws {
        var random = Seed.generator()
        try await withTestPool(size: 2) { pool in
            for _ in 0..<30 {
                let tasks = (0..<10).map { _ in Task { _ = try? await pool.execute("select pg_sleep(0.001)") } }
                for task in tasks where random.chance(0.5) {
                    await Task.yield()
                    task.cancel()
                }
                for task in tasks { await task.value }
            }
            try await eventually("all to be back") { pool.metrics.leased == 0 && pool.metrics.waiting == 0 }
            try await pool.withConnection { first in
                try await pool.withConnection { second in
                    try await first.execute("select 1")
                    try await second.execute("select 1")
                }
            }
        }
    }
}

/// Lets all go on once all have arrived.
actor Barrier {
    private var missing: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []
    init(parties: Int) { missing = parties }
    func arrive() async {
        missing -= 1
        if missing <= 0 {
            for waiter in waiting { waiter.resume() }
            waiting = []
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }
}
