internal import AgentGatewayDomain
internal import Crypto
internal import Postgres

/// Embeddings on disk, by the commitment to what was embedded: a cache of content, made again at need, in no write-ahead log.
struct EmbeddingStore: Sendable {
    let pool: PostgresPool
    let model: String

    /// Embeddings read or deleted at a time.
    private static let page = 1_000

    /// Everything that is kept, at most so many; what is of other models is thrown away.
    func all(atMost limit: Int) async throws -> [Digest: UnitVector] {
        _ = try await pool.execute("delete from agent_gateway.embeddings where model <> $1", [.text(model)])
        var found: [Digest: UnitVector] = [:]
        var last: [UInt8] = []
        while found.count < limit {
            let rows = try await pool.execute(
                "select hash, vector from agent_gateway.embeddings where model = $1 and hash > $2 order by hash limit $3",
                [.text(model), .bytes(last), .int(Int64(Self.page))])
            for row in rows {
                last = try row.bytes("hash")
                if let hash = Digest(last), let vector = UnitVector(bytes: try row.bytes("vector")) { found[hash] = vector }
            }
            if rows.count < Self.page { break }
        }
        return found
    }

    /// Keeps some.
    func keep(_ vectors: [(hash: Digest, vector: UnitVector)]) async throws {
        _ = try await pool.execute(
            """
            insert into agent_gateway.embeddings (model, hash, vector)
            select $1, hash, vector from unnest($2::bytea[], $3::bytea[]) as fresh (hash, vector) on conflict do nothing
            """,
            [.text(model), .byteaArray(vectors.map(\.hash.bytes)), .byteaArray(vectors.map(\.vector.bytes))])
    }

    /// Throws some away.
    func forget(_ hashes: [Digest]) async throws {
        for start in stride(from: 0, to: hashes.count, by: Self.page) {
            let part = hashes[start..<min(hashes.count, start + Self.page)]
            _ = try await pool.execute(
                "delete from agent_gateway.embeddings where model = $1 and hash = any ($2)",
                [.text(model), .byteaArray(part.map(\.bytes))])
        }
    }
}
