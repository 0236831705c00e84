import Glibc

/// Makes databases: one model per template, and one copy ahead of need, so that a test rarely waits for its own.
actor DatabasePool {
    static let shared = DatabasePool()
    private static let prefix = "ol_test_"

    private var models: [String: Task<String, any Error>] = [:]
    private var spares: [String: Task<String, any Error>] = [:]
    private var count = 0

    func take(template: String, prepare: @escaping @Sendable (TestDatabase) async throws -> Void) async throws -> TestDatabase {
        let door = try await TestServer.shared.door()
        let model = try await model(template, prepare, door)
        let name: String
        if let spare = spares.removeValue(forKey: template) {
            name = try await spare.value
        } else {
            name = try await copy(of: model, door)
        }
        // None ahead on a server that outlives us: it would stay behind.
        if TestInput.postgres == nil && spares[template] == nil { spares[template] = Task { try await copy(of: model, door) } }
        return TestDatabase(name: name, door: door)
    }

    /// Dropped beside the tests; a database that will not go hinders nobody.
    func giveBack(_ database: TestDatabase) async {
        guard let door = try? await TestServer.shared.door() else { return }
        let drop = Task { _ = try? await door.sql(["DROP DATABASE IF EXISTS \"\(database.name)\" WITH (FORCE)"], in: "postgres") }
        if TestInput.postgres != nil { await drop.value }
    }

    private func model(
        _ template: String, _ prepare: @escaping @Sendable (TestDatabase) async throws -> Void, _ door: TestServer.Door
    ) async throws -> String {
        if template.isEmpty { return "template0" }
        if let known = models[template] { return try await known.value }
        let name = nextName()
        // Models are made one after the other: what they do to the whole server, such as making roles, must not meet.
        let others = Array(models.values)
        let task = Task {
            for other in others { _ = try? await other.value }
            try await door.sql(["CREATE DATABASE \"\(name)\" TEMPLATE template0"], in: "postgres")
            try await prepare(TestDatabase(name: name, door: door))
            return name
        }
        models[template] = task
        return try await task.value
    }

    private func copy(of model: String, _ door: TestServer.Door) async throws -> String {
        let name = nextName()
        // Who may connect is kept with the database and not copied with it.
        let access = "(SELECT datacl FROM pg_database WHERE datname = '\(model)')"
        try await door.sql(
            [
                "CREATE DATABASE \"\(name)\" TEMPLATE \"\(model)\"",
                "UPDATE pg_database SET datacl = \(access) WHERE datname = '\(name)' AND \(access) IS NOT NULL AND '\(model)' <> 'template0'",
            ], in: "postgres")
        return name
    }

    /// Drops what test processes that have ended left on a server that outlives them.
    static func sweep(_ door: TestServer.Door) async throws {
        let names = try await door.sql(["SELECT datname FROM pg_database WHERE datname LIKE '\(prefix)%'"], in: "postgres")
        for name in names.split(separator: "\n") {
            guard let owner = name.dropFirst(prefix.count).split(separator: "_").first.flatMap({ Int32($0) }),
                kill(owner, 0) != 0, errno == ESRCH
            else { continue }
            try await door.sql(["DROP DATABASE IF EXISTS \"\(name)\" WITH (FORCE)"], in: "postgres")
        }
    }

    private func nextName() -> String {
        count += 1
        return Self.prefix + "\(getpid())_\(count)"
    }
}
