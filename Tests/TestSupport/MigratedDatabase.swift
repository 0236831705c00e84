import Foundation
public import Postgres

/// Gives `body` a database of its own with the schemas and login roles of these services, and drops it afterwards. The
/// migrations run once per process; each test gets a copy.
@discardableResult
public func withDatabase<Result>(
    isolation: isolated (any Actor)? = #isolation, migrated services: [String], _ body: (TestDatabase) async throws -> Result
) async throws -> Result {
    try await withDatabase(template: "migrated:" + services.joined(separator: ","), prepare: { try await migrate($0, services) }, body)
}

private func migrate(_ database: TestDatabase, _ services: [String]) async throws {
    let logins = try services.map { try Roles.Login(service: $0, password: TestDatabase.servicePassword) }
    try await Roles(database.configuration).ensure(logins)
    try await Migrator(database.configuration, folder: TestInput.migrations, services: services).apply()
}

extension TestDatabase {
    /// The password of every service's role, on a server that asks for one.
    static let servicePassword = "for tests only"

    /// How our client connects as the superuser.
    public var configuration: PostgresConfiguration {
        PostgresConfiguration(host: host, port: port, database: name, user: user, password: password)
    }

    /// How our client connects as a service, with that service's rights only.
    /// - Throws: for a name that can be no role.
    public func configuration(service: String) throws -> PostgresConfiguration {
        let login = try Roles.Login(service: service, password: Self.servicePassword)
        return PostgresConfiguration(host: host, port: port, database: name, user: login.name, password: login.password)
    }

    /// `postgresql://…` of a service's role.
    public func url(service: String) throws -> String {
        let login = try Roles.Login(service: service, password: Self.servicePassword)
        return url(user: login.name, password: login.password)
    }
}

extension TestInput {
    /// The root of the sources.
    public static var sources: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }

    /// The folder of all services' migrations.
    public static var migrations: String { sources + "/migrations" }
}
