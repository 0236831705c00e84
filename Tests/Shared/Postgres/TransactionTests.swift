import Postgres
import TestSupport
import Testing

@Suite struct TransactionTests {
    private struct Stop: Error {}

    private func withTable(_ body: (PostgresConnection) async throws -> Void) async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("create table t (id int8 primary key)")
            try await body(connection)
        }
    }

    private func count(_ connection: PostgresConnection) async throws -> Int64 {
        try await connection.execute("select count(*) as n from t").one().int("n")
    }

    @Test func itIsCommittedWhenItsBodyReturns() async throws {
        try await withTable { connection in
            // A local variable: the closure runs where it was made.
            var seen = 0
            let answer = try await connection.transaction { tx in
                seen += try await tx.execute("insert into t values (1)").affected
                return "done"
            }
            #expect(answer == "done")
            #expect(seen == 1)
            let found1 = try await count(connection)
            #expect(found1 == 1)
        }
    }

    @Test func itIsRolledBackWhenItsBodyThrows() async throws {
        try await withTable { connection in
            await #expect(throws: Stop.self) {
                try await connection.transaction { tx in
                    try await tx.execute("insert into t values (1)")
                    throw Stop()
                }
            }
            let found2 = try await count(connection)
            #expect(found2 == 0)
        }
    }

    @Test func aCommitOfAnAbortedTransactionIsAnError() async throws {
        try await withTable { connection in
            let error = try await postgresError {
                try await connection.transaction { tx in
                    try await tx.execute("insert into t values (1)")
                    _ = try? await tx.execute("insert into t values (1)")
                }
            }
            #expect(error.code == .transactionAborted)
            let found3 = try await count(connection)
            #expect(found3 == 0)
        }
    }

    @Test func isolationAndReadOnlyAreWhatWasAskedFor() async throws {
        try await withTable { connection in
            for level in [IsolationLevel.readCommitted, .repeatableRead, .serializable] {
                let found = try await connection.transaction(isolation: level, readOnly: true) { tx in
                    try await tx.execute("select current_setting('transaction_isolation') as level").one().text("level")
                }
                #expect(found == level.rawValue)
            }
            let error = try await postgresError {
                try await connection.transaction(readOnly: true) { tx in _ = try await tx.execute("insert into t values (1)") }
            }
            #expect(error.code == .readOnlyTransaction)
        }
    }

    @Test func theConnectionItselfIsBusyMeanwhile() async throws {
        try await withTable { connection in
            try await connection.transaction { tx in
                let direct = try await postgresError { try await connection.execute("select 1") }
                #expect(direct.message.contains("a transaction is open"))
                let second = try await postgresError { try await connection.transaction { _ in } }
                #expect(second.message.contains("a transaction is open"))
                try await tx.execute("insert into t values (1)")
            }
            let found4 = try await count(connection)
            #expect(found4 == 1)
        }
    }

    @Test func aTransactionIsOfNoUseAfterItsEnd() async throws {
        try await withTable { connection in
            let kept = try await connection.transaction { tx in tx }
            let error = try await postgresError { try await kept.execute("insert into t values (1)") }
            #expect(error.message == "the transaction is over")
            try await connection.transaction { _ in
                let other = try await postgresError { try await kept.execute("insert into t values (1)") }
                #expect(other.message == "the transaction is over")
            }
            let found5 = try await count(connection)
            #expect(found5 == 0)
        }
    }

    @Test func aSessionThatLeavesOneOpenIsRolledBack() async throws {
        try await withTable { connection in
            try await connection.withSession { session in
                try session.begin()
                try session.execute("insert into t values (1)")
                #expect(session.isInTransaction)
                #expect(throws: PostgresError.self) { try session.begin() }
            }
            let found6 = try await count(connection)
            #expect(found6 == 0)
        }
    }

    @Test func aSessionsTransactionCommitsOrRollsBack() async throws {
        try await withTable { connection in
            try await connection.withSession { session in
                try session.transaction { _ = try $0.execute("insert into t values (1)") }
                #expect(throws: Stop.self) {
                    try session.transaction { session in
                        try session.execute("insert into t values (2)")
                        throw Stop()
                    }
                }
            }
            let found7 = try await count(connection)
            #expect(found7 == 1)
        }
    }
}
