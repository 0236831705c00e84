import Postgres
import TestSupport
import Testing

@Suite struct PipelineTests {
    private static let insert: Statement = "insert into t values ($1, $2)"

    private func withTable(_ body: (PostgresConnection) async throws -> Void) async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("create table t (id int8 primary key, text text)")
            try await body(connection)
        }
    }

    private func count(_ connection: PostgresConnection) async throws -> Int64 {
        try await connection.execute("select count(*) as n from t").one().int("n")
    }

    @Test func allOfItIsCommittedTogether() async throws {
        try await withTable { connection in
            let results = try await connection.pipeline((0..<500).map { (Self.insert, [.int($0), .text("row \($0)")]) })
            #expect(results.count == 500)
            #expect(results.allSatisfy { $0.affected == 1 })
            let found1 = try await count(connection)
            #expect(found1 == 500)
            // One implicit transaction: all rows carry its id.
            let found2 = try await connection.execute("select count(distinct xmin::text) as n from t").one().int("n")
            #expect(found2 == 1)
        }
    }

    @Test(arguments: [0, 7, 19]) func oneErrorUndoesAllAndIsNamed(_ bad: Int) async throws {
        try await withTable { connection in
            try await connection.execute(Self.insert, [100, "there"])
            let items = (0..<20).map { index in (Self.insert, [PostgresValue.int(index == bad ? 100 : Int64(index)), .text("x")]) }
            let error = try await postgresError { _ = try await connection.pipeline(items) }
            #expect(error.code == .uniqueViolation)
            #expect(error.pipelineIndex == bad)
            let found3 = try await count(connection)
            #expect(found3 == 1)
        }
    }

    @Test func aValueThatCannotBeSentUndoesAll() async throws {
        try await withTable { connection in
            let error = try await postgresError {
                _ = try await connection.pipeline([(Self.insert, [1, "a"]), (Self.insert, [2, "b\0"]), (Self.insert, [3, "c"])])
            }
            #expect(error.pipelineIndex == 1)
            let found4 = try await count(connection)
            #expect(found4 == 0)
        }
    }

    @Test func aStatementThatDoesNotParseUndoesAll() async throws {
        try await withTable { connection in
            let error = try await postgresError {
                _ = try await connection.pipeline([(Self.insert, [1, "a"]), ("insert into nowhere values (1)", [])])
            }
            #expect(error.pipelineIndex == 1)
            #expect(error.code == .undefinedTable)
            let found5 = try await count(connection)
            #expect(found5 == 0)
        }
    }

    @Test func aConstraintCheckedAtTheCommitUndoesAll() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("create table t (id int8 unique deferrable initially deferred)")
            let error = try await postgresError {
                _ = try await connection.pipeline([("insert into t values ($1)", [1]), ("insert into t values ($1)", [1])])
            }
            #expect(error.code == .uniqueViolation)
            let found6 = try await count(connection)
            #expect(found6 == 0)
        }
    }

    /// A stale version is data, not an error: the rest of the batch is committed.
    @Test func aConflictIsZeroRows() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("create table head (stream text primary key, version int8 not null)")
            let append: Statement = """
                insert into head as h values ($1, 1) on conflict (stream) do update set version = h.version + 1 where h.version = $2
                returning version
                """
            let results = try await connection.pipeline([
                (append, ["a", 0]), (append, ["a", 0]), (append, ["a", 1]), (append, ["b", 0]),
            ])
            #expect(results.map(\.count) == [1, 0, 1, 1])
            #expect(try results[2].one().int("version") == 2)
        }
    }

    @Test func insideATransactionItIsPartOfIt() async throws {
        try await withTable { connection in
            try await connection.withSession { session in
                try session.begin()
                _ = try session.pipeline([(Self.insert, [1, "a"]), (Self.insert, [2, "b"])])
                session.rollback()
            }
            let found7 = try await count(connection)
            #expect(found7 == 0)
        }
    }

    @Test func muchGoesBothWaysWithoutADeadlock() async throws {
        try await withTestConnection { connection in
            let text = String(repeating: "x", count: 50_000)
            let results = try await connection.pipeline(
                (0..<400).map { ("select $1::text || $2::int8::text as t", [.text(text), .int($0)]) })
            for (index, rows) in results.enumerated() { #expect(try rows.one().text("t").utf8.count == 50_000 + "\(index)".count) }
        }
    }

    @Test func moreStatementsThanTheCacheHolds() async throws {
        try await withDatabase { database in
            var configuration = try database.configuration
            configuration.statementCacheSize = 4
            let connection = try await PostgresConnection.connect(configuration)
            for _ in 0..<2 {
                let results = try await connection.pipeline((0..<20).map { (Statement("select \($0)::int8 as n"), []) })
                let numbers = try results.map { try $0.one().int("n") }
                #expect(numbers == Array(0..<20))
            }
            try await connection.execute("select 1")
            let found8 = try await connection.withSession { $0.preparedCount }
            #expect(found8 <= 4)
            await connection.close()
        }
    }

    @Test func copyInAPipelineIsAnErrorAndNotAHang() async throws {
        try await withTable { connection in
            let error = try await postgresError { _ = try await connection.pipeline([(Self.insert, [1, "a"]), ("copy t to stdout", [])]) }
            #expect(!error.message.isEmpty)
        }
    }

    @Test func nothingIsNothing() async throws {
        try await withTestConnection { connection in
            let results = try await connection.pipeline([])
            #expect(results.isEmpty)
        }
    }
}
