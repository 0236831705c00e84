internal import Threads

/// Brings a database to the schema that the files of a folder describe: `migrations/<service>/NNNN_what.sql`, plain SQL, forward
/// only.
///
/// What was applied is kept with its checksum in `public.openledger_migrations`. Several migrators may start at once: an advisory
/// lock lets one work and the others find the work done.
public struct Migrator: Sendable {
    /// The advisory lock of all migrators: "OLMIGRAT".
    static let lock: Int64 = 0x4F4C_4D49_4752_4154

    private let configuration: PostgresConfiguration
    private let folder: String
    private let services: [String]?

    /// - Parameters:
    ///   - configuration: a role that owns the database, or a superuser.
    ///   - folder: where the services' folders are.
    ///   - services: which of them, in this order; nil for all, by name.
    public init(_ configuration: PostgresConfiguration, folder: String, services: [String]? = nil) {
        self.configuration = configuration
        self.folder = folder
        self.services = services
    }

    /// What ``apply(progress:)`` would apply now, in order. Changes nothing.
    /// - Throws: ``MigrationError``, ``PostgresError``.
    public func plan() async throws -> [Migration] {
        let files = try await read()
        return try await withSession { session in try Self.pending(files, try Self.applied(session)) }
    }

    /// Applies what is pending, each file in a transaction together with its record.
    /// - Parameter progress: told before each file.
    /// - Returns: what was applied.
    /// - Throws: ``MigrationError``, ``PostgresError``. Files before the one that failed stay applied.
    @discardableResult
    public func apply(progress: @escaping @Sendable (Migration) -> Void = { _ in }) async throws -> [Migration] {
        let files = try await read()
        let lockTimeout = max(0, configuration.lockTimeoutMilliseconds)
        return try await withSession { session in
            try session.execute("select pg_advisory_lock($1)", [.int(Self.lock)])
            defer { _ = try? session.execute("select pg_advisory_unlock($1)", [.int(Self.lock)]) }
            try session.executeScript(Self.table)
            let pending = try Self.pending(files, try Self.applied(session))
            for migration in pending {
                progress(migration)
                try Self.run(migration, lockTimeout, session)
                // A file may leave settings behind that the next one does not expect.
                try session.executeScript("reset session authorization; reset role; reset all")
            }
            return pending
        }
    }

    private static let table = """
        create table if not exists public.openledger_migrations (
            service text not null,
            number integer not null,
            name text not null,
            checksum text not null,
            applied_at timestamptz not null default now(),
            primary key (service, number)
        )
        """

    private func read() async throws -> [Migration] {
        try await OSThread.run(name: "migrations") { [folder, services] in try MigrationFolder.read(folder, services: services) }
    }

    private func withSession<Result: Sendable>(_ body: @escaping @Sendable (PostgresSession) throws -> Result) async throws -> Result {
        var configuration = configuration
        // A migration takes as long as it takes, and waiting for another migrator too.
        configuration.statementTimeoutMilliseconds = 0
        configuration.lockTimeoutMilliseconds = 0
        configuration.idleTransactionTimeoutMilliseconds = 0
        let connection = try await PostgresConnection.connect(configuration)
        do {
            let result = try await connection.withSession(body)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}

extension Migrator {
    /// What the database says was applied.
    private struct Applied {
        let service: String
        let number: Int
        let name: String
        let checksum: String
        var file: String { "\(service)/\(Migration.padded(number))_\(name).sql" }
    }

    private static func applied(_ session: PostgresSession) throws -> [Applied] {
        guard try session.execute("select to_regclass('public.openledger_migrations') is not null as found").one().bool("found")
        else { return [] }
        let rows = try session.execute(
            "select service, number, name, checksum from public.openledger_migrations order by service, number")
        return try rows.map { row in
            Applied(
                service: try row.text("service"), number: Int(try row.int("number")), name: try row.text("name"),
                checksum: try row.text("checksum"))
        }
    }

    private static func pending(_ files: [Migration], _ applied: [Applied]) throws(MigrationError) -> [Migration] {
        let services = Set(files.map(\.service))
        for record in applied where services.contains(record.service) {
            guard let file = files.first(where: { $0.service == record.service && $0.number == record.number && $0.name == record.name })
            else { throw .missing(record.file) }
            guard file.checksum == record.checksum else {
                throw .changed(record.file, applied: record.checksum, found: file.checksum)
            }
        }
        var pending: [Migration] = []
        for file in files {
            let ofService = applied.filter { $0.service == file.service }
            if ofService.contains(where: { $0.number == file.number }) { continue }
            if let later = ofService.first(where: { $0.number > file.number }) {
                throw .outOfOrder(file.description, applied: later.file)
            }
            pending.append(file)
        }
        return pending
    }

    private static func run(_ migration: Migration, _ lockTimeout: Int, _ session: PostgresSession) throws {
        let record: Statement = "insert into public.openledger_migrations (service, number, name, checksum) values ($1, $2, $3, $4)"
        let values: [PostgresValue] = [
            .text(migration.service), .int(Int64(migration.number)), .text(migration.name), .text(migration.checksum),
        ]
        do {
            guard migration.isTransactional else {
                try session.executeScript(migration.sql)
                try session.executeScript(ownRole)
                try session.execute(record, values)
                return
            }
            try session.transaction { session in
                // DDL that waits long for a lock holds up everybody behind it.
                try session.executeScript("set local lock_timeout = \(lockTimeout)")
                let before = try session.execute("select pg_current_xact_id()::text as id").one().text("id")
                try session.executeScript(migration.sql)
                // Asked of the server, as a COMMIT and a BEGIN would leave a transaction open, but another one.
                guard session.isInTransaction, try session.execute("select pg_current_xact_id()::text as id").one().text("id") == before
                else { throw MigrationError.endsTransaction(migration.description) }
                try session.executeScript(ownRole)
                try session.execute(record, values)
            }
        } catch let error as PostgresError {
            if error.code == .queryCanceled { throw error }
            throw MigrationError.failed(migration.description, line: error.position.map { line(of: $0, in: migration.sql) }, error)
        }
    }

    /// A file may have changed into a role that can't write the record.
    private static let ownRole = "reset session authorization; reset role"

    /// The line of a character that the server counts from 1.
    private static func line(of position: Int, in sql: String) -> Int {
        1 + sql.unicodeScalars.prefix(max(0, position - 1)).count { $0 == "\n" }
    }
}
