internal import Crypto
internal import Identity
internal import Postgres

/// Clients' assertions that were taken: none is taken twice while it holds (RFC 7523 §3, `jti`), whichever gateway of the house it is shown
/// to, so whoever overhears one has nothing of it.
struct UsedAssertions: Sendable {
    let pool: PostgresPool

    /// Most that are remembered of one client.
    static let mostOfOne = 1_000

    /// What came of taking one.
    enum Answer: Sendable { case taken, usedBefore, tooMany }

    private static let forget = Statement("delete from agent_gateway.used_assertions where ends <= $1", name: "forget assertions")
    private static let take = Statement(
        """
        insert into agent_gateway.used_assertions (client, name, ends) select $1::text, $2::bytea, $3::bigint
        where (select count(*) from agent_gateway.used_assertions where client = $1::text) < \(mostOfOne)
        on conflict do nothing returning true
        """, name: "take assertion")
    private static let find = Statement(
        "select true from agent_gateway.used_assertions where client = $1 and name = $2", name: "find assertion")

    /// Takes an assertion of a client.
    /// - Parameter now: seconds since 1970.
    func take(_ use: ClientAssertion.Use, of client: String, now: Int64) async throws -> Answer {
        // However long its name is.
        let name = PostgresValue.bytes(SHA256.hash(utf8: use.id).bytes)
        _ = try await pool.execute(Self.forget, [.int(now)])
        if try await !pool.execute(Self.take, [.text(client), name, .int(use.end)]).isEmpty { return .taken }
        return try await pool.execute(Self.find, [.text(client), name]).isEmpty ? .tooMany : .usedBefore
    }
}
