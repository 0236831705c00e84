internal import Postgres

/// The statements that the writer and the readers of the log send.
enum LogSQL {
    // Writing.
    static let insertOne: Statement = """
        insert into ledger.events (position, stream, version, command, leaf, bytes) values ($1, $2, $3, $4, $5, $6)
        """
    static let insertMany: Statement = """
        insert into ledger.events (position, stream, version, command, leaf, bytes)
        select * from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[], $5::bytea[], $6::bytea[])
        """
    /// The same, with an early commit.
    static let insertEarly: Statement = """
        insert into ledger.events (position, stream, version, command, leaf, bytes)
        select rows.* from (select set_config('synchronous_commit', 'off', true) as mode) early,
            unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[], $5::bytea[], $6::bytea[]) as rows
        where early.mode is not null
        """
    /// Lets a commit return before it is on disk: whoever commits so answers for it after ``flush``.
    private static let early = "set local synchronous_commit = off; "
    /// The rows of a batch, with an early commit.
    static let copyEvents = early + "copy ledger.events (position, stream, version, command, leaf, bytes) from stdin (format binary)"
    /// The rows of a batch and the tiles that they filled, as one transaction with an early commit.
    static let copyBatch = copyEvents + "; copy ledger.tiles (level, index, hashes, root) from stdin (format binary)"
    /// Returns when all that was committed before is on disk, and on the standbys that the server waits for.
    static let flush: Statement = "select pg_logical_emit_message(true, 'openledger', '')"
    /// At least `on`: what the server, the database or the role has is kept where it asks for more or for a standby less.
    private static let onDisk =
        "case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end"
    /// A session that writes or flushes must wait for the disk, whatever the server's default says. An early commit still is one.
    static let waitForDisk = Statement("select set_config('synchronous_commit', \(onDisk), false)")
    /// The same for one statement of a session that others use too: it is read when the statement's own transaction commits.
    private static let disk = "(select set_config('synchronous_commit', \(onDisk), true) as mode) disk where disk.mode is not null"
    /// The server behind a session: the same one, and not started anew since.
    static let server: Statement = """
        select system_identifier::text || ' since ' || pg_postmaster_start_time()::text from pg_control_system()
        """
    static let insertTile: Statement = "insert into ledger.tiles (level, index, hashes, root) values ($1, $2, $3, $4)"
    static let heads: Statement = """
        select wanted.stream, coalesce(
            (select version + 1 from ledger.events e where e.stream = wanted.stream order by version desc limit 1), 0) as count
        from unnest($1::uuid[]) as wanted (stream)
        """
    static let commands: Statement = """
        select events.command, events.position from unnest($1::uuid[]) as wanted (command)
        join ledger.events using (command)
        """
    /// The events of one append: from its first, which carries the command, to the next that does.
    static let append: Statement = """
        select position, version, bytes from ledger.events
        where position >= $1 and position < coalesce(
            (select position from ledger.events where position > $1 and position < $1 + $2 and command is not null
             order by position limit 1), $1 + $2)
        order by position
        """

    // Leading.
    static let tryLock: Statement = "select pg_try_advisory_lock($1)"
    static let lock: Statement = "select pg_advisory_lock($1)"
    static let newTerm: Statement = "insert into ledger.terms (holder) values ($1) returning term"
    /// Makes the server notice a leader whose machine has vanished, and with it let go of the lock, within half a minute.
    static let watchClient: Statement = """
        select set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
            set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '25000', false)
        """
    /// What the trigger on the log's events compares with the newest term: a leader whose term has passed writes nothing.
    static let holdTerm: Statement = "select set_config('openledger.term', $1, false)"
    static let ping: Statement = "select 1"

    // Reading.
    static let size: Statement = "select coalesce(max(position) + 1, 0) as size from ledger.events"
    static let range: Statement = """
        select position, version, bytes from ledger.events where position >= $1 and position < $2 order by position
        """
    static let positions: Statement = "select position, version, bytes from ledger.events where position = any($1::bigint[])"
    /// Events from a position on until they have so many bytes. Their lengths are known without reading them.
    static let piece: Statement = """
        select position, version, bytes from (
            select position, version, bytes, sum(octet_length(bytes)) over (order by position) - octet_length(bytes) as before
            from ledger.events where position >= $1 and position < $2) as events
        where before < $3 order by position
        """
    static let stream: Statement = """
        select position, version, bytes from ledger.events where stream = $1 and version >= $2 order by version limit $3
        """
    static let tile: Statement = "select hashes from ledger.tiles where level = $1 and index = $2"
    static let leaves: Statement = "select leaf from ledger.events where position >= $1 and position < $2 order by position"
    static let roots: Statement = "select root from ledger.tiles where level = $1 and index >= $2 and index < $3 order by index"

    // Checkpoints.
    static let origin: Statement = "select origin from ledger.identity"
    static let claimOrigin: Statement = "insert into ledger.identity (origin) values ($1) on conflict do nothing"
    static let lastCheckpoint: Statement = "select number, note from ledger.checkpoints order by number desc limit 1"
    static let keepCheckpoint = Statement(
        "insert into ledger.checkpoints (number, size, note) select $1::bigint, $2::bigint, $3::text from \(disk)")
    static let thinCheckpoints: Statement = "select ledger.thin_checkpoints($1)"
    static let cosignatures: Statement = "select line from ledger.cosignatures where checkpoint = $1 order by line"
    static let keepCosignature = Statement(
        "insert into ledger.cosignatures (checkpoint, line) select $1::bigint, $2::text from \(disk) on conflict do nothing")
    static let lastCosigned: Statement = """
        select number, note from ledger.checkpoints
        where number = (select max(checkpoint) from ledger.cosignatures)
        """

    // Carriage.
    static let carriage: Statement = "select next from ledger.carriage where topic = $1"
    static let moveCarriage: Statement = """
        insert into ledger.carriage (topic, next) values ($1, $2) on conflict (topic) do update set next = excluded.next
        """
}
