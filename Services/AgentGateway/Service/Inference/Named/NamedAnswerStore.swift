internal import Crypto
internal import Postgres

/// Whose turn it is to answer a question that its caller has named, for all gateways on one database.
struct NamedAnswerStore: Sendable {
    let pool: PostgresPool

    /// How long a turn lasts that nobody says again.
    static let lease = Duration.seconds(30)
    /// How long it is remembered how an answer was told.
    static let memory = Duration.seconds(90 * 86_400)

    /// One that is known.
    struct Entry: Sendable {
        let attempt: String
        let digest: Digest?
        /// Whether its turn is over, its answer not told.
        let isOver: Bool
        let telling: Telling?
    }

    /// How an answer was told that is on the log.
    struct Telling: Sendable, Hashable {
        /// Why it ended.
        let finish: String
        /// Bytes of what it said, which its calls follow in the text that is kept.
        let textBytes: Int
    }

    private static let end = "clock_timestamp() + $4::bigint * interval '1 millisecond'"
    private static let time = PostgresValue.int(lease.components.seconds * 1_000)

    /// Begins the first turn.
    /// - Returns: false when there was one.
    func begin(_ inference: String, attempt: String, digest: Digest) async throws -> Bool {
        let rows = try await pool.execute(
            Statement(
                """
                insert into agent_gateway.named_answers (inference, attempt, digest, until) values ($1, $2, $3, \(Self.end))
                on conflict (inference) do nothing returning inference
                """), [.text(inference), .text(attempt), .bytes(digest.bytes), Self.time])
        return !rows.isEmpty
    }

    func entry(_ inference: String) async throws -> Entry? {
        try await pool.execute(
            """
            select attempt, digest, until < clock_timestamp() and finish is null, finish, text_bytes
            from agent_gateway.named_answers where inference = $1
            """, [.text(inference)]
        ).first.map { row in
            var telling: Telling?
            if let finish = try row.optionalText(3), let bytes = try row.optionalInt(4) {
                telling = Telling(finish: finish, textBytes: Int(bytes))
            }
            return Entry(attempt: try row.text(0), digest: Digest(try row.bytes(1)), isOver: try row.bool(2), telling: telling)
        }
    }

    /// Takes the place of an attempt whose turn is over.
    /// - Returns: false when somebody else has.
    func takeOver(_ inference: String, from other: String, attempt: String) async throws -> Bool {
        let rows = try await pool.execute(
            Statement(
                """
                update agent_gateway.named_answers set attempt = $3, until = \(Self.end)
                where inference = $1 and attempt = $2 and finish is null and until < clock_timestamp() returning inference
                """), [.text(inference), .text(other), .text(attempt), Self.time])
        return !rows.isEmpty
    }

    /// Says again that these attempts answer; by inference.
    /// - Returns: the inferences whose turn it still is.
    func renew(_ attempts: [String: String]) async throws -> Set<String> {
        let pairs = attempts.sorted { $0.key < $1.key }
        let rows = try await pool.execute(
            Statement(
                """
                update agent_gateway.named_answers as old set until = \(Self.end.replacing("$4", with: "$3"))
                from unnest($1::text[], $2::text[]) as mine (inference, attempt)
                where old.inference = mine.inference and old.attempt = mine.attempt and old.finish is null
                returning old.inference
                """), [.textArray(pairs.map(\.key)), .textArray(pairs.map(\.value)), Self.time])
        return Set(try rows.map { try $0.text(0) })
    }

    /// An answer is on the log.
    func tell(_ inference: String, attempt: String, _ telling: Telling) async throws {
        _ = try await pool.execute(
            """
            update agent_gateway.named_answers set finish = $3, text_bytes = $4, until = clock_timestamp()
            where inference = $1 and attempt = $2
            """, [.text(inference), .text(attempt), .text(telling.finish), .int(Int64(telling.textBytes))])
    }

    /// Nothing came of it: whoever asks next is the first.
    func giveUp(_ inference: String, attempt: String) async throws {
        _ = try await pool.execute(
            "delete from agent_gateway.named_answers where inference = $1 and attempt = $2 and finish is null",
            [.text(inference), .text(attempt)])
    }

    /// Forgets what is older than ``memory``, a bounded number at once.
    /// - Returns: whether there may be more of it.
    func forget() async throws -> Bool {
        let gone = try await pool.execute(
            """
            delete from agent_gateway.named_answers where inference in (
                select inference from agent_gateway.named_answers
                where until < clock_timestamp() - $1::bigint * interval '1 second' order by until limit 10000)
            returning 1
            """, [.int(Self.memory.components.seconds)])
        return gone.count == 10_000
    }
}
