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
    /// How often screening began.
    let attempts: Int
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
            insert into ingest.drafts (contribution, contributor, datanet, manifest, signature) values ($1, $2, $3, $4, $5)
            on conflict (contribution) do nothing
            """,
            [
                .text(id), .text(signed.manifest.contributor), .text(signed.manifest.datanet), .bytes(signed.bytes),
                .bytes(signed.signature),
            ])
    }

    func draft(_ id: String) async throws -> Draft? {
        try await select("where contribution = $1", [.text(id)]).first
    }

    /// The oldest that waits for the screener: none of those named, none of the Datanets and the contributors that are in hand.
    func queued(except others: [String], datanets: [String], contributors: [String]) async throws -> Draft? {
        try await select(
            """
            where state = 'queued' and contribution <> all (string_to_array($1, ' ')) and datanet <> all (string_to_array($2, ' '))
            and contributor <> all (string_to_array($3, ' ')) order by created limit 1
            """,
            [
                .text(others.joined(separator: " ")), .text(datanets.joined(separator: " ")), .text(contributors.joined(separator: " ")),
            ]
        ).first
    }

    /// Notes that screening begins.
    /// - Returns: how often it has begun by now.
    func begin(_ id: String) async throws -> Int {
        let rows = try await pool.execute(
            "update ingest.drafts set attempts = attempts + 1 where contribution = $1 returning attempts", [.text(id)])
        return try rows.first.map { Int(try $0.int("attempts")) } ?? 0
    }

    /// Notes that screening was ended by what is no fault of the draft.
    func release(_ id: String) async throws {
        _ = try await pool.execute("update ingest.drafts set attempts = greatest(attempts - 1, 0) where contribution = $1", [.text(id)])
    }

    /// Uploads that nothing has happened to for so long, and that nobody has ended.
    func left(for age: Duration) async throws -> [Draft] {
        try await select(
            "where state in ('uploading', 'failed') and changed < clock_timestamp() - $1 * interval '1 second' order by changed limit 100",
            [.int(age.components.seconds)])
    }

    func drafts(of contributor: String) async throws -> [Draft] {
        try await select("where contributor = $1 and state <> 'done' order by created desc limit 500", [.text(contributor)])
    }

    /// Hands a draft to the screener.
    /// - Returns: false when it was handed over before.
    func queue(_ id: String, command: String, digest: Digest, correlation: String) async throws -> Bool {
        try await pool.execute(
            """
            update ingest.drafts set state = 'queued', command = $2, digest = $3, correlation = $4, problem = null, rows_read = 0,
                attempts = 0, changed = clock_timestamp()
            where contribution = $1 and state in ('uploading', 'failed')
            """, [.text(id), .text(command), .bytes(digest.bytes), .text(correlation)]
        ).affected > 0
    }

    func progress(_ id: String, rows: Int) async throws {
        _ = try await pool.execute("update ingest.drafts set rows_read = $2 where contribution = $1", [.text(id), .int(Int64(rows))])
    }

    /// Gives a draft up, for a reason.
    func fail(_ id: String, problem: String) async throws {
        _ = try await pool.execute(
            "update ingest.drafts set state = 'failed', problem = $2, changed = clock_timestamp() where contribution = $1",
            [.text(id), .text(problem)])
    }

    /// Removes a draft, with its parts.
    func remove(_ id: String) async throws { _ = try await pool.execute("delete from ingest.drafts where contribution = $1", [.text(id)]) }

    /// Removes a draft that has not been handed to the screener.
    /// - Returns: false when it has been.
    func discard(_ id: String) async throws -> Bool {
        try await pool.execute(
            "delete from ingest.drafts where contribution = $1 and state in ('uploading', 'failed')", [.text(id)]
        ).affected > 0
    }

    /// Forgets what has come of a file.
    func empty(_ id: String, file: Int) async throws {
        _ = try await pool.execute("delete from ingest.parts where contribution = $1 and file = $2", [.text(id), .int(Int64(file))])
    }

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
            with added as (
                insert into ingest.parts (contribution, file, start, bytes, commitment)
                select $1, $2, $3, $4, $5
                where $3 = coalesce((select max(start + bytes) from ingest.parts where contribution = $1 and file = $2), 0)
                on conflict do nothing returning contribution)
            update ingest.drafts set changed = clock_timestamp() where contribution in (select contribution from added)
            """,
            [.text(id), .int(Int64(file)), .int(Int64(part.start)), .int(Int64(part.bytes)), .bytes(part.commitment.bytes)]
        ).affected > 0
    }

    private func select(_ rest: String, _ values: [PostgresValue]) async throws -> [Draft] {
        let sql = """
            select contribution, contributor, manifest, signature, state, command, digest, correlation, rows_read, problem, attempts
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
                rowsRead: Int(try row.int("rows_read")), problem: try row.optionalText("problem"),
                attempts: Int(try row.int("attempts")))
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
