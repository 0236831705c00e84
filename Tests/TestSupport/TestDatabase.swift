import Foundation
import PrivatePostgres

/// A database of one test's own.
public struct TestDatabase: Sendable {
    /// Its name.
    public let name: String
    /// libpq's `host`: a socket folder or an address.
    public let host: String
    /// The port.
    public let port: Int
    /// A superuser.
    public let user: String
    /// The superuser's password, where the server asks for one.
    public let password: String?
    private let door: TestServer.Door

    init(name: String, door: TestServer.Door) {
        self.name = name
        self.door = door
        host = door.host
        port = door.port
        user = door.user
        password = door.password
    }

    /// `postgresql://…` for the superuser.
    public var url: String { url() }

    /// `postgresql://…` for a role.
    public func url(user: String? = nil, password: String? = nil) -> String {
        func encoded(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text }
        let secret = (user == nil ? self.password : password).map { ":" + encoded($0) } ?? ""
        return "postgresql://\(encoded(user ?? self.user))\(secret)@/\(encoded(name))?host=\(encoded(host))&port=\(port)"
    }

    /// Runs SQL as the superuser through psql, each statement in a transaction of its own; returns what it printed,
    /// columns by `|`, a row a line. For set-up and for looks from outside; what a test is about goes through a client.
    @discardableResult
    public func sql(_ statements: String...) async throws -> String { try await door.sql(statements, in: name) }
}

/// Gives `body` an empty database of its own on this process's server, and drops it afterwards.
@discardableResult
public func withDatabase<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: (TestDatabase) async throws -> Result
) async throws -> Result {
    try await withDatabase(template: "", prepare: { _ in }, body)
}

/// Gives `body` a database of its own, copied from one that `prepare` has filled, and drops it afterwards.
/// - Parameters:
///   - template: a name for what `prepare` does; it runs once per process and name, and must leave no connection open.
///   - prepare: fills the model database, for instance by migrations.
@discardableResult
public func withDatabase<Result>(
    isolation: isolated (any Actor)? = #isolation, template: String, prepare: @escaping @Sendable (TestDatabase) async throws -> Void,
    _ body: (TestDatabase) async throws -> Result
) async throws -> Result {
    let database = try await DatabasePool.shared.take(template: template, prepare: prepare)
    do {
        let result = try await body(database)
        await DatabasePool.shared.giveBack(database)
        return result
    } catch {
        await DatabasePool.shared.giveBack(database)
        throw error
    }
}
