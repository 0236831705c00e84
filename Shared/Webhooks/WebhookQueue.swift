internal import Events
public import JSON
public import Postgres

/// What is to be sent, and under which secrets.
public struct WebhookDelivery: Sendable {
    /// The webhook.
    public let webhook: String
    /// Of the event.
    public let position: Int64
    /// The event's id.
    public let event: String
    /// What is sent.
    public let body: [UInt8]
    /// Which attempt it is, from 1.
    public let attempt: Int
    /// Where it goes.
    public let url: String
    let generations: [Int]
}

/// What waits to be told, in the tables `webhooks`, `deliveries` and `attempts` of a service's schema.
public struct WebhookQueue: Sendable {
    private let pool: PostgresPool
    private let schema: String

    /// - Parameter schema: the service's; its tables are those of the service's migrations.
    public init(pool: PostgresPool, schema: String) {
        self.pool = pool
        self.schema = schema
    }

    /// Changes the secret, once for each generation that is named.
    public func rotate(_ id: String, from generation: Int) async throws {
        _ = try await pool.execute(
            Statement(
                """
                update \(schema).webhooks set generation = generation + 1, rotated = clock_timestamp()
                where id = $1 and generation = $2 and ended is null
                """), [.text(id), .int(Int64(generation))])
    }

    /// Ends a webhook: nothing more is sent.
    public func end(_ id: String) async throws {
        _ = try await pool.execute(
            Statement("update \(schema).webhooks set ended = coalesce(ended, clock_timestamp()) where id = $1"), [.text(id)])
    }

    /// Takes what is due, for a minute: whoever takes it and dies leaves it to the next.
    /// - Parameters:
    ///   - each: at most so many of one webhook.
    ///   - others: webhooks of which nothing is taken, since enough is on its way to them.
    public func take(_ count: Int, each: Int, without others: [String] = []) async throws -> [WebhookDelivery] {
        let rows = try await pool.execute(
            Statement(
                """
                update \(schema).deliveries d set attempts = d.attempts + 1, due = clock_timestamp() + interval '1 minute'
                from (
                    select w.id, w.url, w.generation, w.rotated > clock_timestamp() - interval '1 day' as signs_twice, x.position
                    from (
                        select webhook, position, due, row_number() over (partition by webhook order by due) as place
                        from (
                            select y.webhook, y.position, y.due from \(schema).deliveries y join \(schema).webhooks v on v.id = y.webhook
                            where y.state = 'waiting' and y.due <= clock_timestamp() and v.ended is null and y.webhook <> all ($2)
                            order by y.due limit 1000
                        ) z
                    ) x join \(schema).webhooks w on w.id = x.webhook
                    where x.place <= $3 order by x.due limit $1
                ) n
                where d.webhook = n.id and d.position = n.position and d.state = 'waiting' and d.due <= clock_timestamp()
                returning d.webhook, d.position, d.event, d.body, d.attempts, n.url, n.generation, coalesce(n.signs_twice, false)
                """, name: "take deliveries of \(schema)"), [.int(Int64(count)), .textArray(others), .int(Int64(each))])
        return try rows.map { row in
            let generation = Int(try row.int(6))
            return WebhookDelivery(
                webhook: try row.text(0), position: try row.int(1), event: try row.text(2), body: Array(try row.text(3).utf8),
                attempt: Int(try row.int(4)), url: try row.text(5),
                generations: try row.bool(7) ? [generation, generation - 1] : [generation])
        }
    }

    /// Notes how an attempt went.
    /// - Parameter pause: until the next one; nil when there is none.
    public func note(
        _ delivery: WebhookDelivery, status: Int?, error: String?, millis: Int, isDelivered: Bool, pause: Int?
    ) async throws {
        let state = isDelivered ? "delivered" : pause == nil ? "failed" : "waiting"
        _ = try await pool.pipeline([
            (
                Statement(
                    """
                    insert into \(schema).attempts (webhook, position, attempt, status, error, millis) values ($1, $2, $3, $4, $5, $6)
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
                    update \(schema).deliveries set state = $3, due = clock_timestamp() + make_interval(secs => $4)
                    where webhook = $1 and position = $2 and state = 'waiting'
                    """),
                [.text(delivery.webhook), .int(delivery.position), .text(state), .double(Double(pause ?? 0))]
            ),
        ])
    }

    /// The newest deliveries with their attempts.
    public func deliveries(of webhook: String, limit: Int) async throws -> [JSONValue] {
        let rows = try await pool.execute(
            Statement(
                """
                select d.position, d.event, d.type, d.state, d.attempts, coalesce((
                    select json_agg(json_build_object('attempt', a.attempt, 'time', to_char(a.time at time zone 'utc', \
                'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'status', a.status, 'error', a.error, 'millis', a.millis) order by a.attempt)
                    from \(schema).attempts a where a.webhook = d.webhook and a.position = d.position), '[]')::text
                from \(schema).deliveries d where d.webhook = $1 order by d.position desc limit $2
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
