internal import Events
internal import JSON
internal import Postgres

/// Somebody's wish to be told.
struct Webhook: Sendable {
    let id: String
    let account: String
    let url: String
    let types: [String]
    let generation: Int
    let created: Int64
    let isEnded: Bool

    func json(secret: String? = nil) -> JSONValue {
        .members([
            "id": .string(id), "account": .string(account), "url": .string(url), "types": .texts(types), "generation": .count(generation),
            "secret": secret.map { .string($0) }, "created": .string(Timestamp(microseconds: created).description), "ended": .bool(isEnded),
        ])
    }
}

/// Who wants to be told of which account.
struct WebhookStore: Sendable {
    let pool: PostgresPool

    private static let columns = """
        id, account, url, types, generation, (extract(epoch from created) * 1000000)::bigint, ended is not null
        """

    private func webhook(_ row: Row) throws -> Webhook {
        Webhook(
            id: try row.text(0), account: try row.text(1), url: try row.text(2), types: try row.textArray(3),
            generation: Int(try row.int(4)), created: try row.int(5), isEnded: try row.bool(6))
    }

    /// At most so many are open on one account.
    static let maximumOpen = 20

    /// Whether an account may have one more, or has the one that a command made.
    func hasRoom(_ account: String, command: String) async throws -> Bool {
        try await pool.execute(
            Statement(
                """
                select count(*) < $3 or exists (select from billing.webhooks where command = $2)
                from billing.webhooks where account = $1 and ended is null
                """), [.text(account), .text(command), .int(Int64(Self.maximumOpen))]
        ).one().bool(0)
    }

    /// Makes one; the same command again finds it.
    /// - Returns: nil when the command was used for another one.
    func make(
        id: String, account: String, url: String, types: [String], since: UInt64, command: String, digest: String
    ) async throws -> Webhook? {
        _ = try await pool.execute(
            Statement(
                """
                insert into billing.webhooks (id, account, url, types, since, command, digest) values ($1, $2, $3, $4, $5, $6, $7)
                on conflict (command) do nothing
                """),
            [
                .text(id), .text(account), .text(url), .textArray(types), .int(Int64(since)), .text(command), .text(digest),
            ])
        let rows = try await pool.execute(
            Statement("select \(Self.columns) from billing.webhooks where command = $1 and digest = $2"), [.text(command), .text(digest)])
        return try rows.first.map(webhook)
    }

    func webhook(_ id: String) async throws -> Webhook? {
        try await pool.execute(Statement("select \(Self.columns) from billing.webhooks where id = $1"), [.text(id)]).first.map(webhook)
    }

    func webhooks(of account: String) async throws -> [Webhook] {
        try await pool.execute(
            Statement("select \(Self.columns) from billing.webhooks where account = $1 and ended is null order by created, id limit 100"),
            [.text(account)]
        ).map(webhook)
    }
}
