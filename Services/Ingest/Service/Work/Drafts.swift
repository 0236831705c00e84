internal import Crypto
internal import IngestDomain
internal import JSON
internal import Postgres

/// A contribution on its way in.
struct Draft: Sendable {
    enum State: String, Sendable { case uploading, queued, done, failed }

    let contribution: String
    let contributor: String
    let manifest: Manifest
    let bytes: [UInt8]
    let signature: [UInt8]
    let state: State
    let command: String?
    let digest: Digest?
    let correlation: String
    let rowsRead: Int
    let problem: String?
}

/// A part of a file.
struct Part: Sendable {
    let start: Int
    let bytes: Int
    let commitment: Digest

    var end: Int { start + bytes }
}

/// The tables of drafts.
struct Drafts: Sendable {
    let pool: PostgresPool

    /// Keeps a new draft; one of that id stays as it is.
    func create(_ id: String, _ signed: SignedManifest) async throws {
        _ = try await pool.execute(
            """
            insert into ingest.drafts (contribution, contributor, manifest, signature) values ($1, $2, $3, $4)
            on conflict (contribution) do nothing
            """, [.text(id), .text(signed.manifest.contributor), .bytes(signed.bytes), .bytes(signed.signature)])
    }

    func draft(_ id: String) async throws -> Draft? {
        try await select("where contribution = $1", [.text(id)]).first
    }

    /// The oldest that waits for the screener, but for those named.
    func queued(except others: [String]) async throws -> Draft? {
        try await select(
            "where state = 'queued' and contribution <> all (string_to_array($1, ' ')) order by created limit 1",
            [.text(others.joined(separator: " "))]
        ).first
    }

    func drafts(of contributor: String) async throws -> [Draft] {
        try await select("where contributor = $1 and state <> 'done' order by created desc limit 500", [.text(contributor)])
    }

    /// Hands a draft to the screener.
    /// - Returns: false when it was handed over before.
    func queue(_ id: String, command: String, digest: Digest, correlation: String) async throws -> Bool {
        try await pool.execute(
            """
            update ingest.drafts set state = 'queued', command = $2, digest = $3, correlation = $4, problem = null, rows_read = 0
            where contribution = $1 and state in ('uploading', 'failed')
            """, [.text(id), .text(command), .bytes(digest.bytes), .text(correlation)]
        ).affected > 0
    }

    func progress(_ id: String, rows: Int) async throws {
        _ = try await pool.execute("update ingest.drafts set rows_read = $2 where contribution = $1", [.text(id), .int(Int64(rows))])
    }

    func finish(_ id: String, _ state: Draft.State, problem: String? = nil) async throws {
        _ = try await pool.execute(
            "update ingest.drafts set state = $2, problem = $3 where contribution = $1",
            [.text(id), .text(state.rawValue), problem.map { .text($0) } ?? .null])
        if state == .done { _ = try await pool.execute("delete from ingest.parts where contribution = $1", [.text(id)]) }
    }

    func remove(_ id: String) async throws { _ = try await pool.execute("delete from ingest.drafts where contribution = $1", [.text(id)]) }

    func parts(_ id: String, file: Int) async throws -> [Part] {
        try await pool.execute(
            "select start, bytes, commitment from ingest.parts where contribution = $1 and file = $2 order by start",
            [.text(id), .int(Int64(file))]
        ).map { row in
            guard let commitment = Digest(try row.bytes("commitment")) else { throw DraftError.damaged(id) }
            return Part(start: Int(try row.int("start")), bytes: Int(try row.int("bytes")), commitment: commitment)
        }
    }

    /// Keeps a part behind those that are there.
    /// - Returns: false when another writer was quicker.
    func add(_ id: String, file: Int, _ part: Part) async throws -> Bool {
        try await pool.execute(
            """
            insert into ingest.parts (contribution, file, start, bytes, commitment)
            select $1, $2, $3, $4, $5
            where $3 = coalesce((select max(start + bytes) from ingest.parts where contribution = $1 and file = $2), 0)
            on conflict do nothing
            """,
            [.text(id), .int(Int64(file)), .int(Int64(part.start)), .int(Int64(part.bytes)), .bytes(part.commitment.bytes)]
        ).affected > 0
    }

    private func select(_ rest: String, _ values: [PostgresValue]) async throws -> [Draft] {
        let sql = """
            select contribution, contributor, manifest, signature, state, command, digest, correlation, rows_read, problem
            from ingest.drafts 
            """
        return try await pool.execute(Statement(sql + rest), values).map { row in
            let id = try row.text("contribution")
            let bytes = try row.bytes("manifest")
            guard let state = Draft.State(rawValue: try row.text("state")) else { throw DraftError.damaged(id) }
            return Draft(
                contribution: id, contributor: try row.text("contributor"), manifest: try Manifest(try JSON.parse(bytes).object()),
                bytes: bytes, signature: try row.bytes("signature"), state: state, command: try row.optionalText("command"),
                digest: try row.optionalBytes("digest").flatMap { Digest($0) }, correlation: try row.optionalText("correlation") ?? "",
                rowsRead: Int(try row.int("rows_read")), problem: try row.optionalText("problem"))
        }
    }
}

/// Rows that the service did not write.
enum DraftError: Error, CustomStringConvertible {
    case damaged(String)
    var description: String {
        switch self {
        case .damaged(let id): "the draft \(id) cannot be read"
        }
    }
}
