internal import Postgres

/// Who is told of which tasks.
struct TaskWebhookStore: Sendable {
    let pool: PostgresPool

    /// Most webhooks that a principal may have open.
    static let most = 200

    /// What is wished for.
    struct Wish: Sendable {
        let id: String
        let owner: String
        let form: TaskNotice.Form
        var task: String?
        var name: String?
        let url: String
        var types: [String] = []
        var sealed: [UInt8]?
        let since: UInt64
        let command: String
        let digest: String
    }

    private static let columns = """
        id, owner, form, task, name, url, types, sealed, generation, (extract(epoch from created) * 1000000)::bigint, ended is not null
        """

    private func webhook(_ row: Row) throws -> TaskWebhook {
        TaskWebhook(
            id: try row.text(0), owner: try row.text(1), form: TaskNotice.Form(rawValue: try row.text(2)) ?? .standard,
            task: try row.optionalText(3), name: try row.optionalText(4), url: try row.text(5), types: try row.textArray(6),
            sealed: try row.optionalBytes(7), generation: Int(try row.int(8)), created: try row.int(9), isEnded: try row.bool(10))
    }

    private func values(_ wish: Wish) -> [PostgresValue] {
        [
            .text(wish.id), .text(wish.owner), .text(wish.form.rawValue), wish.task.map { .text($0) } ?? .null,
            wish.name.map { .text($0) } ?? .null, .text(wish.url), .textArray(wish.types), wish.sealed.map { .bytes($0) } ?? .null,
            .int(Int64(wish.since)), .text(wish.command), .text(wish.digest),
        ]
    }

    private static let insert = """
        insert into agent_gateway.webhooks (id, owner, form, task, name, url, types, sealed, since, command, digest)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """

    /// Makes one; the same command again finds it.
    /// - Returns: nil when the command was used for another one.
    func make(_ wish: Wish) async throws -> TaskWebhook? {
        _ = try await pool.execute(Statement(Self.insert + " on conflict (command) do nothing"), values(wish))
        return try await pool.execute(
            Statement("select \(Self.columns) from agent_gateway.webhooks where command = $1 and digest = $2"),
            [.text(wish.command), .text(wish.digest)]
        ).first.map(webhook)
    }

    /// Makes one, or puts it in the place of what had its id.
    func set(_ wish: Wish) async throws {
        _ = try await pool.execute(
            Statement(
                Self.insert + """
                     on conflict (id) do update set form = excluded.form, url = excluded.url, sealed = excluded.sealed,
                        since = case when webhooks.ended is null then webhooks.since else excluded.since end, ended = null
                    """), values(wish))
    }

    func webhook(_ id: String) async throws -> TaskWebhook? {
        try await pool.execute(Statement("select \(Self.columns) from agent_gateway.webhooks where id = $1"), [.text(id)]).first.map(
            webhook)
    }

    /// Those of an owner that are open, of one form or of all, for one task or for all.
    func webhooks(of owner: String, task: String? = nil) async throws -> [TaskWebhook] {
        try await pool.execute(
            Statement(
                """
                select \(Self.columns) from agent_gateway.webhooks
                where owner = $1 and ended is null and ($2::text is null or task = $2) order by created, id limit \(Self.most + 1)
                """),
            [.text(owner), task.map { .text($0) } ?? .null]
        ).map(webhook)
    }
}
