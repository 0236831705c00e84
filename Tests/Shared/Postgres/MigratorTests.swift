import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct MigratorTests {
    private struct Site {
        let folder: TemporaryFolder
        let database: TestDatabase

        func write(_ files: [String: String]) throws {
            for (path, text) in files {
                let service = (path as NSString).deletingLastPathComponent
                try FileManager.default.createDirectory(atPath: folder.path(service), withIntermediateDirectories: true)
                try folder.write(text, to: path)
            }
        }

        func migrator(_ services: [String]? = nil) throws -> Migrator {
            Migrator(try database.configuration, folder: folder.path, services: services)
        }

        func apply(_ services: [String]? = nil) async throws -> [String] { try await migrator(services).apply().map(\.description) }

        var applied: [String] {
            get async throws {
                let text = try await database.sql(
                    "select service || ' ' || number || ' ' || name from openledger_migrations order by applied_at, number")
                return text.split(separator: "\n").map(String.init)
            }
        }
    }

    private func withSite(_ files: [String: String], _ body: (Site) async throws -> Void) async throws {
        try await withDatabase { database in
            let site = Site(folder: try TemporaryFolder("migrations"), database: database)
            try site.write(files)
            try await body(site)
        }
    }

    private func migrationError(_ body: () async throws -> Void) async throws -> MigrationError {
        do {
            try await body()
        } catch let error as MigrationError {
            return error
        }
        Issue.record("no error was thrown")
        throw NothingThrown()
    }

    @Test func filesAreAppliedInOrderAndOnce() async throws {
        try await withSite([
            "b/0001_t.sql": "create table b (id int8)",
            "a/0002_add.sql": "alter table a add text text; -- two\ninsert into a values (1, 'x')",
            "a/0001_t.sql": "create table a (id int8);\n", "a/README.md": "not SQL",
        ]) { site in
            let planned = try await site.migrator().plan().map(\.description)
            #expect(planned == ["a/0001_t.sql", "a/0002_add.sql", "b/0001_t.sql"])
            let progress = Notes<String>()
            let done = try await site.migrator().apply { progress.add($0.description) }
            #expect(done.map(\.description) == planned)
            #expect(progress.all == planned)
            let again = try await site.apply()
            #expect(again == [])
            let left = try await site.migrator().plan()
            #expect(left.isEmpty)
            try site.write(["a/0003_more.sql": "create index on a (id)"])
            let more = try await site.apply()
            #expect(more == ["a/0003_more.sql"])
            let applied = try await site.applied
            #expect(applied == ["a 1 t", "a 2 add", "b 1 t", "a 3 more"])
        }
    }

    @Test func aPlanChangesNothing() async throws {
        try await withSite(["a/0001_t.sql": "create table a (id int8)"]) { site in
            _ = try await site.migrator().plan()
            let tables = try await site.database.sql("select count(*) from pg_tables where schemaname = 'public'")
            #expect(tables == "0")
        }
    }

    @Test func onlyTheServicesAskedForAreApplied() async throws {
        try await withSite(["a/0001_t.sql": "create table a ()", "b/0001_t.sql": "create table b ()"]) { site in
            let first = try await site.apply(["b"])
            #expect(first == ["b/0001_t.sql"])
            // What another service has applied is no business of this one.
            let second = try await site.apply(["a"])
            #expect(second == ["a/0001_t.sql"])
        }
    }

    @Test func aChangedFileIsNamed() async throws {
        try await withSite(["a/0001_t.sql": "create table a ()"]) { site in
            _ = try await site.apply()
            try site.write(["a/0001_t.sql": "create table a () ", "a/0002_u.sql": "create table u ()"])
            let planning = try await migrationError { _ = try await site.migrator().plan() }
            let applying = try await migrationError { _ = try await site.apply() }
            #expect(planning == applying)
            guard case .changed("a/0001_t.sql", let then, let now) = applying else {
                Issue.record("\(applying)")
                return
            }
            #expect(then != now)
            #expect(then.utf8.count == 64)
            let applied = try await site.applied
            #expect(applied == ["a 1 t"])
        }
    }

    @Test func aMissingOrRenamedFileIsNamed() async throws {
        try await withSite(["a/0001_t.sql": "create table a ()", "a/0002_u.sql": "create table u ()"]) { site in
            _ = try await site.apply()
            try FileManager.default.removeItem(atPath: site.folder.path("a/0001_t.sql"))
            let missing = try await migrationError { _ = try await site.apply() }
            #expect(missing == .missing("a/0001_t.sql"))
            try site.write(["a/0001_other.sql": "create table a ()"])
            let renamed = try await migrationError { _ = try await site.apply() }
            #expect(renamed == .missing("a/0001_t.sql"))
        }
    }

    @Test func aFileThatComesTooLateIsNamed() async throws {
        try await withSite(["a/0002_t.sql": "create table a ()"]) { site in
            _ = try await site.apply()
            try site.write(["a/0001_u.sql": "create table u ()"])
            let error = try await migrationError { _ = try await site.apply() }
            #expect(error == .outOfOrder("a/0001_u.sql", applied: "a/0002_t.sql"))
        }
    }

    @Test(arguments: ["a/1_t.sql", "a/0001t.sql", "a/0001_.sql", "a/0001_T.sql", "a/000a_t.sql", "a/0001_t x.sql", "a/_.sql"])
    func aBadNameIsRefused(_ path: String) async throws {
        try await withSite([path: "select 1"]) { site in
            let error = try await migrationError { _ = try await site.migrator().plan() }
            #expect(error == .badFileName(path))
        }
    }

    @Test func twoFilesOfOneNumberAreRefused() async throws {
        try await withSite(["a/0001_t.sql": "select 1", "a/0001_u.sql": "select 1"]) { site in
            let error = try await migrationError { _ = try await site.migrator().plan() }
            #expect(error == .duplicateNumber("a/0001_t.sql", "a/0001_u.sql"))
        }
    }

    @Test func aFolderThatIsNotThereIsNamed() async throws {
        try await withSite([:]) { site in
            let error = try await migrationError { _ = try await site.migrator(["nobody"]).plan() }
            #expect(error == .unreadable(site.folder.path + "/nobody"))
        }
    }

    @Test func aFailureRollsItsFileBackAndNamesTheLine() async throws {
        try await withSite([
            "a/0001_t.sql": "create table a (id int8)", "a/0002_bad.sql": "insert into a values (1);\n\ninsert into nowhere values (1);\n",
            "a/0003_never.sql": "create table never ()",
        ]) { site in
            let error = try await migrationError { _ = try await site.apply() }
            guard case .failed("a/0002_bad.sql", 3, let cause) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(cause.code == .undefinedTable)
            #expect("\(error)".hasPrefix("a/0002_bad.sql:3: "))
            let applied = try await site.applied
            #expect(applied == ["a 1 t"])
            let rows = try await site.database.sql("select count(*) from a")
            #expect(rows == "0")
            // Mended, it goes on from there.
            try site.write(["a/0002_bad.sql": "insert into a values (1)"])
            let rest = try await site.apply()
            #expect(rest == ["a/0002_bad.sql", "a/0003_never.sql"])
        }
    }

    @Test(arguments: ["create table x (); commit", "commit; begin; create table x ()", "rollback; begin"])
    func aFileThatEndsItsTransactionIsNotRecorded(_ sql: String) async throws {
        try await withSite(["a/0001_t.sql": sql]) { site in
            let error = try await migrationError { _ = try await site.apply() }
            #expect(error == .endsTransaction("a/0001_t.sql"))
            let applied = try await site.applied
            #expect(applied == [])
        }
    }

    @Test func aFileCanOptOutOfTheTransaction() async throws {
        try await withSite([
            "a/0001_t.sql": "create table a (id int8)",
            "a/0002_index.sql": "-- openledger: no-transaction\ncreate index concurrently if not exists a_id on a (id)",
        ]) { site in
            _ = try await site.apply()
            let found = try await site.database.sql("select count(*) from pg_indexes where indexname = 'a_id'")
            #expect(found == "1")
        }
        try await withSite(["a/0001_t.sql": "create table a (id int8)", "a/0002_index.sql": "create index concurrently a_id on a (id)"]) {
            site in
            let error = try await migrationError { _ = try await site.apply() }
            #expect("\(error)".contains("cannot run inside a transaction block"))
        }
    }

    @Test func settingsOfOneFileDoNotReachTheNext() async throws {
        try await withSite([
            "a/0001_set.sql": "create schema s; set search_path = s; set role pg_monitor", "a/0002_t.sql": "create table here ()",
        ]) { site in
            _ = try await site.apply()
            let place = try await site.database.sql("select schemaname from pg_tables where tablename = 'here'")
            #expect(place == "public")
        }
    }

    @Test func migratorsThatStartTogetherShareTheWork() async throws {
        let files = (1...9).map { ("a/000\($0)_t.sql", "create table t\($0) (); select pg_sleep(0.01)") }
        try await withSite(Dictionary(uniqueKeysWithValues: files)) { site in
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<5 { group.addTask { try await site.apply().count } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts.reduce(0, +) == 9)
            let applied = try await site.applied
            #expect(applied.count == 9)
        }
    }
}
