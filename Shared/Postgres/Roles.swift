/// The login roles of services: each its own, with the rights that the migrations grant it and no others.
public struct Roles: Sendable {
    /// A role to log in with.
    public struct Login: Sendable, CustomStringConvertible, CustomReflectable {
        /// The role's name, such as `openledger_ledger`.
        public let name: String
        /// Its password; nil for a server that knows its clients in another way.
        public let password: String?
        /// The most connections it may hold; -1 for no limit.
        public let connectionLimit: Int

        /// - Throws: ``PostgresError`` for a name with other characters than a-z, 0-9 and _.
        public init(name: String, password: String?, connectionLimit: Int = -1) throws(PostgresError) {
            let isName = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
            guard isName, name.utf8.count <= 63, let first = name.utf8.first, !(48...57).contains(first), !name.hasPrefix("pg_") else {
                throw PostgresError(.invalidTextRepresentation, "a role's name is made of a-z, 0-9 and _, not \"\(name)\"")
            }
            self.name = name
            self.password = password
            self.connectionLimit = connectionLimit
        }

        /// The role of a service: `openledger_` and the service's name with `_` for `-`.
        public init(service: String, password: String?, connectionLimit: Int = -1) throws(PostgresError) {
            let name = "openledger_" + service.map { $0 == "-" ? "_" : String($0) }.joined()
            try self.init(name: name, password: password, connectionLimit: connectionLimit)
        }

        /// The name, never the password.
        public var description: String { name }
        /// Keeps the password out of `dump`.
        public var customMirror: Mirror { Mirror(self, children: ["name": name, "password": password == nil ? "none" : "set"]) }
    }

    private let configuration: PostgresConfiguration

    /// - Parameter configuration: a role that may create roles and owns the database.
    public init(_ configuration: PostgresConfiguration) { self.configuration = configuration }

    /// Makes the roles that are missing and sets the attributes and passwords of all: they may log in and connect to this
    /// database, and nothing else. Takes from everybody the right to connect, to make temporary tables, and to create in `public`.
    ///
    /// Run it before the migrations, which grant to these roles.
    public func ensure(_ logins: [Login]) async throws {
        let connection = try await PostgresConnection.connect(configuration)
        do {
            try await Self.again { try await connection.withSession { session in try Self.ensure(logins, session) } }
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Roles belong to the whole server, and advisory locks to one database: two that change the same role from two databases meet
    /// in the server's catalogue. The one that loses tries again.
    private static func again(_ body: () async throws -> Void) async throws {
        var backoff = Backoff(initial: .milliseconds(20), maximum: .milliseconds(500))
        for _ in 0..<60 {
            do { return try await body() } catch let error as PostgresError where isCollision(error) {
                try await Task.sleep(for: backoff.next())
            }
        }
        try await body()
    }

    private static func isCollision(_ error: PostgresError) -> Bool {
        error.isRetriable || [.uniqueViolation, .duplicateObject].contains(error.code)
            || error.code.rawValue == "XX000" && error.message.contains("concurrently")
    }

    private static func ensure(_ logins: [Login], _ session: PostgresSession) throws {
        try session.transaction { session in
            let database = session.raw.quoted(identifier: try session.execute("select current_database() as name").one().text("name"))
            try session.executeScript("revoke all on database \(database) from public; revoke create on schema public from public")
            for login in logins {
                let name = session.raw.quoted(identifier: login.name)
                let isThere = try session.execute("select 1 from pg_roles where rolname = $1", [.text(login.name)]).count > 0
                if !isThere { try session.executeScript("create role \(name)") }
                // The server's log may hold statements: it gets the verifier, not the password (RFC 5803).
                let password = try login.password.map { try session.raw.encrypt(password: $0, user: login.name) }
                try session.executeScript(
                    """
                    alter role \(name) with login nosuperuser nocreatedb nocreaterole noreplication nobypassrls \
                    connection limit \(login.connectionLimit) password \(try session.raw.quoted(literal: password));
                    grant connect on database \(database) to \(name)
                    """)
            }
        }
    }
}
