import Postgres
import TestSupport
import Testing

@Suite struct StatementTests {
    @Test func anErrorCarriesWhatTheServerSaid() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript(
                "create table account (id int8 constraint account_key primary key, mail text not null, age int4 constraint adult check (age >= 18))"
            )
            let insert = Statement("insert into account values ($1, $2, $3)", name: "add an account")
            try await connection.execute(insert, [1, "secret@example.org", 20])
            let duplicate = try await postgresError { try await connection.execute(insert, [1, "secret@example.org", 20]) }
            #expect(duplicate.code == .uniqueViolation)
            #expect(duplicate.constraint == "account_key")
            #expect(duplicate.table == "account")
            #expect(duplicate.schema == "public")
            #expect(duplicate.statement == "add an account")
            #expect(duplicate.detail?.contains("(1)") == true)
            #expect(!duplicate.isRetriable)
            #expect(!duplicate.isConnectionLost)
            let null = try await postgresError { try await connection.execute(insert, [2, nil, 20]) }
            #expect(null.code == .notNullViolation)
            #expect(null.column == "mail")
            // The detail quotes the row; the description, which goes into logs, does not.
            #expect(null.detail?.contains("2") == true)
            #expect(!null.description.contains("null, 20"))
            let young = try await postgresError { try await connection.execute(insert, [3, "x", 3]) }
            #expect(young.code == .checkViolation)
            #expect(young.constraint == "adult")
        }
    }

    @Test func badSQLSaysWhere() async throws {
        try await withTestConnection { connection in
            let error = try await postgresError { try await connection.execute("selec 1") }
            #expect(error.code == .syntaxError)
            #expect(error.position == 1)
            #expect(error.statement == "selec 1")
            let missing = try await postgresError { try await connection.execute("select * from nowhere") }
            #expect(missing.code == .undefinedTable)
            let nul = try await postgresError { try await connection.execute(Statement("select 1\0; drop table x")) }
            #expect(nul.code == .characterNotInRepertoire)
        }
    }

    @Test func aRoleWithoutTheRightIsRefused() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("create table vault (x int); set role pg_read_all_settings")
            let error = try await postgresError { try await connection.execute("select * from vault") }
            #expect(error.code == .insufficientPrivilege)
        }
    }

    @Test func noticesGoToTheHandler() async throws {
        try await withDatabase { database in
            let notices = Notes<PostgresNotice>()
            let connection = try await PostgresConnection.connect(try database.configuration) { notices.add($0) }
            try await connection.executeScript("do $$ begin raise warning 'look out'; end $$")
            #expect(notices.all == [PostgresNotice(severity: "WARNING", code: SQLState(rawValue: "01000"), message: "look out")])
            await connection.close()
        }
    }

    @Test func statementsArePreparedOnceAndTheOldestMakesRoom() async throws {
        try await withDatabase { database in
            var configuration = try database.configuration
            configuration.statementCacheSize = 3
            let connection = try await PostgresConnection.connect(configuration)
            for number in [1, 2, 3, 1, 4, 1, 4] { try await connection.execute(Statement("select \(number)::int8 as n")) }
            let found1 = try await connection.withSession { $0.preparedCount }
            #expect(found1 == 3)
            // Asked by the simple protocol, which prepares nothing.
            let kept = try await connection.withSession { session in
                try session.executeScript("create table kept as select statement from pg_prepared_statements")
                return try session.execute("select statement from kept order by 1").map { try $0.text("statement") }
            }
            #expect(kept == ["select 1::int8 as n", "select 3::int8 as n", "select 4::int8 as n"])
            await connection.close()
        }
    }

    @Test func aPlanThatTheServerForgotIsMadeAgain() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("create table t (a int4); insert into t values (1)")
            let found2 = try await connection.execute("select * from t").one().int("a")
            #expect(found2 == 1)
            try await connection.executeScript("alter table t alter a type int8; alter table t add b text default 'x'")
            #expect(try await connection.execute("select * from t").one().text("b") == "x")
            try await connection.executeScript("deallocate all")
            let found3 = try await connection.execute("select * from t").one().int("a")
            #expect(found3 == 1)
        }
    }

    @Test func affectedRowsAreCounted() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("create table t (a int8)")
            let found4 = try await connection.execute("insert into t select generate_series(1, 10)").affected
            #expect(found4 == 10)
            let found5 = try await connection.execute("update t set a = a where a > 7").affected
            #expect(found5 == 3)
            let found6 = try await connection.execute("select * from t").affected
            #expect(found6 == 10)
            let found7 = try await connection.execute("delete from t").affected
            #expect(found7 == 10)
            #expect(try await connection.execute("").isEmpty)
        }
    }

    @Test func copyWithoutCopyCallsIsAnErrorAndTheConnectionGoesOn() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("create table t (a int8); insert into t values (1), (2)")
            for sql in ["copy t from stdin", "copy t to stdout"] {
                let prepared = try await postgresError { try await connection.execute(Statement(sql)) }
                #expect(prepared.code == .protocolViolation)
                let simple = try await postgresError { try await connection.executeScript(sql) }
                #expect(simple.code == .protocolViolation)
                let found8 = try await connection.execute("select count(*) as n from t").one().int("n")
                #expect(found8 == 2)
            }
        }
    }
}
