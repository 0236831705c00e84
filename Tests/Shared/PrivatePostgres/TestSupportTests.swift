import Foundation
import Postgres
import PrivatePostgres
import TestSupport
import Testing

/// The ground other tests stand on is tested too.
@Suite struct TestSupportTests {
    @Test(arguments: 0..<6) func everyTestHasADatabaseOfItsOwn(number: Int) async throws {
        try await withDatabase { database in
            try await database.sql("create table one (n int)", "insert into one values (\(number))")
            #expect(try await database.sql("select n from one") == "\(number)")
        }
    }

    @Test(arguments: 0..<4) func aTemplateIsPreparedOnceAndCopied(number: Int) async throws {
        try await withDatabase(
            template: "counted",
            prepare: { try await $0.sql("create table filled as select generate_series(1, 10) n, pg_backend_pid() maker") }
        ) { database in
            #expect(try await database.sql("select count(*) from filled") == "10")
            try await database.sql("delete from filled")
        }
    }

    @Test(arguments: 0..<3) func aMigratedDatabaseHasTheServicesSchemaAndRights(number: Int) async throws {
        try await withDatabase(migrated: ["ledger"]) { database in
            let owner = try await PostgresConnection.connect(database.configuration)
            let service = try await PostgresConnection.connect(try database.configuration(service: "ledger"))
            #expect(try await service.execute("select count(*) as n from ledger.events").one().int("n") == 0)
            let error = await #expect(throws: PostgresError.self) { try await service.execute("delete from ledger.events") }
            #expect(error?.code == .insufficientPrivilege)
            // The copy keeps what the model says about connecting.
            let publicMayMakeTables: Statement = "select has_database_privilege('public', current_database(), 'temp') as may"
            #expect(try await owner.execute(publicMayMakeTables).one().bool("may") == false)
            await owner.close()
            await service.close()
        }
    }

    @Test func sqlThatFailsThrows() async throws {
        try await withDatabase { database in
            await #expect(throws: ClusterError.self) { try await database.sql("select nonsense") }
        }
    }

    @Test func aSeedRepeats() {
        var first = SeededGenerator(seed: 7), second = SeededGenerator(seed: 7), other = SeededGenerator(seed: 8)
        let numbers = (0..<100).map { _ in first.next() }
        #expect(numbers == (0..<100).map { _ in second.next() })
        #expect(numbers != (0..<100).map { _ in other.next() })
        // The published first value for seed 0.
        var zero = SeededGenerator(seed: 0)
        #expect(zero.next() == 0xe220_a839_7b1d_cdaf)
    }

    @Test func eventuallyReturnsAtOnceOrSaysWhatItWaitedFor() async throws {
        var asked = 0
        try await eventually(timeout: .seconds(5)) {
            asked += 1
            return asked == 3
        }
        #expect(asked == 3)
        let error = await #expect(throws: NotInTime.self) {
            try await eventually("the moon", timeout: .milliseconds(30)) { false }
        }
        #expect("\(try #require(error))".hasPrefix("the moon did not come true"))
    }

    @Test func temporaryFoldersGoAway() throws {
        var folder: TemporaryFolder? = try TemporaryFolder()
        let path = try #require(folder?.path)
        try folder?.write("text", to: "file")
        #expect(FileManager.default.fileExists(atPath: path + "/file"))
        folder = nil
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}

@Suite(.enabled(if: TestKafka.isAvailable, "no broker: OPENLEDGER_TEST_KAFKA is not set"))
struct TestKafkaTests {
    @Test func aBrokerKeepsItsPortAndTopicsOverAKill() async throws {
        let broker = try await TestKafka.start()
        try await broker.admin("topics", "--create", "--topic", "kept")
        try await broker.kill()
        try await broker.restart()
        #expect(try await broker.admin("topics", "--list").contains("kept"))
    }
}
