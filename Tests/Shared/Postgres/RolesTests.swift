import Postgres
import TestSupport
import Testing

@Suite struct RolesTests {
    /// Roles belong to the whole server, which other test processes may share.
    private func service() -> String {
        var random = SystemRandomNumberGenerator()
        return "test-\(random.next() % 1_000_000_000)"
    }

    @Test func aServicesRoleMayLogInAndDoesNothingElse() async throws {
        try await withDatabase { database in
            let configuration = try database.configuration
            let login = try Roles.Login(service: service(), password: "it's \"a\" pass\\word", connectionLimit: 3)
            #expect(login.name.hasPrefix("openledger_test_"))
            try await Roles(configuration).ensure([login])
            var own = configuration
            own.user = login.name
            own.password = login.password
            let connection = try await PostgresConnection.connect(own)
            for sql: Statement in [
                "create table t ()", "create temporary table t ()", "create role someone", "create database d", "create schema s",
            ] {
                let error = try await postgresError { try await connection.execute(sql) }
                #expect(error.code == .insufficientPrivilege, "\(sql)")
            }
            await connection.close()
            let attributes = try await database.sql(
                "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin, rolconnlimit from pg_roles where rolname = '\(login.name)'"
            )
            #expect(attributes == "f|f|f|f|f|t|3")
            let stored = try await database.sql("select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = '\(login.name)'")
            #expect(stored == "t")
            try await drop([login], database)
        }
    }

    @Test func ensuringAgainMendsARole() async throws {
        try await withDatabase { database in
            let roles = Roles(try database.configuration)
            let login = try Roles.Login(service: service(), password: nil)
            try await roles.ensure([login])
            try await database.sql("alter role \(login.name) superuser")
            try await roles.ensure([login])
            let isSuper = try await database.sql("select rolsuper from pg_roles where rolname = '\(login.name)'")
            #expect(isSuper == "f")
            try await drop([login], database)
        }
    }

    @Test func twoDatabasesCanEnsureTheSameRolesAtOnce() async throws {
        let service = service()
        let logins = try (0..<4).map { try Roles.Login(service: "\(service)-\($0)", password: "x") }
        try await withDatabase { first in
            try await withDatabase { second in
                let configurations = [try first.configuration, try second.configuration]
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for configuration in configurations + configurations { group.addTask { try await Roles(configuration).ensure(logins) } }
                    try await group.waitForAll()
                }
                for login in logins { try await second.sql("drop owned by \(login.name)") }
            }
            try await drop(logins, first)
        }
    }

    @Test(arguments: ["", "A", "a b", "a\"b", "a;drop", "1a", "pg_x", "ä", "a-b"]) func aBadNameIsRefused(_ name: String) {
        #expect(throws: PostgresError.self) { try Roles.Login(name: name, password: nil) }
    }

    @Test func aLoginNeverPrintsItsPassword() throws {
        let login = try Roles.Login(service: "ledger", password: "hunter2")
        var dumped = ""
        dump(login, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!"\(login) \(String(reflecting: login))".contains("hunter2"))
        #expect(login.name == "openledger_ledger")
    }

    private func drop(_ logins: [Roles.Login], _ database: TestDatabase) async throws {
        for login in logins { try await database.sql("drop owned by \(login.name)", "drop role \(login.name)") }
    }
}
