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

/// What is to be sent, and under which secrets.
struct Delivery: Sendable {
    let webhook: String
    let position: Int64
    let event: String
    let body: [UInt8]
    let attempt: Int
    let url: String
    let generations: [Int]
}

/// The tables of webhooks.
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

    /// Changes the secret, once for each generation that is named.
    func rotate(_ id: String, from generation: Int) async throws {
        _ = try await pool.execute(
            Statement(
                """
                update billing.webhooks set generation = generation + 1, rotated = clock_timestamp()
                where id = $1 and generation = $2 and ended is null
                """), [.text(id), .int(Int64(generation))])
    }

    func end(_ id: String) async throws {
        _ = try await pool.execute(
            Statement("update billing.webhooks set ended = coalesce(ended, clock_timestamp()) where id = $1"), [.text(id)])
    }

    // MARK: Deliveries

    /// Takes what is due, for a minute: whoever takes it and dies leaves it to the next.
    func take(_ count: Int) async throws -> [Delivery] {
        let rows = try await pool.execute(
            Statement(
                """
                update billing.deliveries d set attempts = d.attempts + 1, due = clock_timestamp() + interval '1 minute'
                from (
                    select w.id, w.url, w.generation, w.rotated > clock_timestamp() - interval '1 day' as signs_twice, x.position
                    from billing.deliveries x join billing.webhooks w on w.id = x.webhook
                    where x.state = 'waiting' and x.due <= clock_timestamp() and w.ended is null
                    order by x.due limit $1 for update of x skip locked
                ) n
                where d.webhook = n.id and d.position = n.position
                returning d.webhook, d.position, d.event, d.body, d.attempts, n.url, n.generation, coalesce(n.signs_twice, false)
                """, name: "take deliveries"), [.int(Int64(count))])
        return try rows.map { row in
            let generation = Int(try row.int(6))
            return Delivery(
                webhook: try row.text(0), position: try row.int(1), event: try row.text(2), body: Array(try row.text(3).utf8),
                attempt: Int(try row.int(4)), url: try row.text(5),
                generations: try row.bool(7) ? [generation, generation - 1] : [generation])
        }
    }

    /// Notes how an attempt went.
    /// - Parameter pause: until the next one; nil when there is none.
    func note(
        _ delivery: Delivery, status: Int?, error: String?, millis: Int, isDelivered: Bool, pause: Int?
    ) async throws {
        let state = isDelivered ? "delivered" : pause == nil ? "failed" : "waiting"
        _ = try await pool.pipeline([
            (
                Statement(
                    """
                    insert into billing.attempts (webhook, position, attempt, status, error, millis) values ($1, $2, $3, $4, $5, $6)
                    on conflict do nothing
                    """),
                [
                    .text(delivery.webhook), .int(delivery.position), .int(Int64(delivery.attempt)),
                    status.map { .int(Int64($0)) } ?? .null,
                    error.map { .text(String($0.prefix(500))) } ?? .null, .int(Int64(millis)),
                ]
            ),
            (
                Statement(
                    """
                    update billing.deliveries set state = $3, due = clock_timestamp() + make_interval(secs => $4)
                    where webhook = $1 and position = $2 and state = 'waiting'
                    """),
                [.text(delivery.webhook), .int(delivery.position), .text(state), .double(Double(pause ?? 0))]
            ),
        ])
    }

    /// The newest deliveries with their attempts.
    func deliveries(of webhook: String, limit: Int) async throws -> [JSONValue] {
        let rows = try await pool.execute(
            Statement(
                """
                select d.position, d.event, d.type, d.state, d.attempts, coalesce((
                    select json_agg(json_build_object('attempt', a.attempt, 'time', to_char(a.time at time zone 'utc', \
                'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'status', a.status, 'error', a.error, 'millis', a.millis) order by a.attempt)
                    from billing.attempts a where a.webhook = d.webhook and a.position = d.position), '[]')::text
                from billing.deliveries d where d.webhook = $1 order by d.position desc limit $2
                """), [.text(webhook), .int(Int64(limit))])
        return try rows.map { row in
            [
                "position": .count(Int(try row.int(0))), "event": .string(try row.text(1)), "type": .string(try row.text(2)),
                "state": .string(try row.text(3)), "attempts": .count(Int(try row.int(4))),
                "log": try JSON.parse(Array(try row.text(5).utf8)),
            ]
        }
    }
}
