internal import Crypto
internal import EventLog
internal import Events
internal import LedgerDomain
internal import Postgres

/// Decides and stores one batch in one transaction, on the connection that holds the leader's lock: when the connection
/// is gone, so are the lock and whatever was not committed.
struct LogWriter {
    let session: PostgresSession

    /// From this many rows on, COPY is cheaper than arrays, although it takes one more round trip; and the next batch
    /// then is worth not waiting for the disk.
    static let copyFrom = 48

    /// Stores a batch. On an error nothing of it is known to be stored, and the leader must step down and look again.
    /// - Parameters:
    ///   - draft: what ``draft(_:state:)`` made of it; void when a surprise has come since.
    ///   - isEarly: whether even a small batch is not to wait for the disk, since it is answered for after others anyway.
    ///   - meanwhile: is called while the server takes in a batch that later ones may be drafted on.
    func write(
        _ appends: [PreparedAppend], draft: DraftBatch?, isEarly: Bool, state: inout WriterState,
        meanwhile: (inout WriterState) -> Void
    ) throws -> WrittenBatch {
        // Commands and streams that the leader has not met are taken for new, which the unique indexes prove or refute as
        // the rows are stored; only a refuted guess, or one that no row would test, costs a look.
        if state.careful == 0 {
            var guess: DraftBatch
            if let draft, draft.surprises == state.surprises {
                guess = draft
            } else {
                guess = try decide(appends, .guessing, state: &state)
            }
            do {
                if try isCertain(guess, of: appends) { return try store(&guess, isEarly, state: &state, meanwhile: meanwhile) }
                takeBack(guess, state: &state)
            } catch let error as PostgresError where Self.isSurprise(error) {
                state.careful = WriterState.carefulBatches
                state.surprises += 1
                state.heads.removeAll()
                state.tree = guess.before
            }
        } else {
            state.careful -= 1
        }
        var decision = try decide(appends, .looking, state: &state)
        return try store(&decision, isEarly, state: &state) { _ in }
    }

    /// Decides a batch on the one before it, which the server is still taking in; nil when that can't be done without a look.
    func draft(_ appends: [PreparedAppend], state: inout WriterState) -> DraftBatch? {
        if state.careful > 0 { return nil }
        return try? decide(appends, .drafting, state: &state)
    }

    /// A row that was there already, other than one at our position: only another writer could have put that there.
    private static func isSurprise(_ error: PostgresError) -> Bool {
        error.code == .uniqueViolation && (error.constraint == "events_command" || error.constraint == "events_stream_version")
    }

    /// Whether storing the rows proves all that was taken for granted: each stream that was taken for new gets a row, and
    /// no command is refused that has its answer already.
    private func isCertain(_ draft: DraftBatch, of appends: [PreparedAppend]) throws -> Bool {
        if !draft.guessed.isEmpty, !draft.guessed.isSubset(of: draft.plan.rows.map(\.stream)) { return false }
        let refused = zip(appends, draft.outcomes).compactMap { append, outcome in
            if case .failure = outcome { append.command.bytes } else { nil }
        }
        return try refused.isEmpty || session.execute(LogSQL.commands, [.uuidArray(refused)]).isEmpty
    }

    /// The last thing that was decided is decided again: the state goes back to before it.
    private func takeBack(_ draft: DraftBatch, state: inout WriterState) {
        state.tree = draft.before
        for row in draft.plan.rows.reversed() { state.heads[row.stream] = row.version }
        for stream in draft.guessed { state.heads[stream] = nil }
    }

    private func decide(_ appends: [PreparedAppend], _ care: Care, state: inout WriterState) throws -> DraftBatch {
        var plan = BatchPlan(size: state.tree.size)
        plan.reserve(appends.count)
        let guessed = try learnHeads(of: appends, care, state: &state, plan: &plan)
        let known = care == .looking ? try firstAnswers(to: appends) : [:]
        for append in appends {
            guard let run = append.run, plan.broken[run.id] == nil, let broken = state.broken[run.id] else { continue }
            plan.broken[run.id] = broken
        }

        var outcomes: [Result<Appended, LogError>] = []
        outcomes.reserveCapacity(appends.count)
        // A repeat in this batch is answered from its earlier self; `decided` maps the plan's count to the batch's.
        var decided: [Int] = []
        decided.reserveCapacity(appends.count)
        for append in appends {
            if let first = known[append.command] {
                outcomes.append(Self.replay(first, to: append))
                plan.breakRun(of: append)
                continue
            }
            switch plan.decide(append) {
            case .accepted(let appended): outcomes.append(.success(appended))
            case .refused(let error): outcomes.append(.failure(error))
            case .repeats(let earlier):
                let place = decided[earlier]
                outcomes.append(
                    outcomes[place].flatMap { Self.replay(FirstAnswer(appends[place], appended: $0), to: append) })
            }
            decided.append(outcomes.count - 1)
        }
        return advance(plan, outcomes, guessed, state: &state)
    }

    /// Moves the state behind a batch, and makes what the server is to be sent.
    private func advance(
        _ plan: BatchPlan, _ outcomes: [Result<Appended, LogError>], _ guessed: Set<Key128>, state: inout WriterState
    ) -> DraftBatch {
        var tree = state.tree
        for row in plan.rows { tree.append(row.leaf) }
        let tiles = tree.takeCompleted()
        var buffers: CopyBuffers?
        if plan.rows.count >= Self.copyFrom {
            var filled = state.buffers.popLast() ?? CopyBuffers()
            filled.rows.reset()
            for row in plan.rows { row.append(to: &filled.rows) }
            filled.tiles.reset()
            for tile in tiles { tile.append(to: &filled.tiles) }
            buffers = filled
        }
        let draft = DraftBatch(
            plan: plan, outcomes: outcomes, guessed: guessed, before: state.tree, after: tree, tiles: tiles, buffers: buffers,
            surprises: state.surprises)
        state.tree = tree
        for (stream, count) in plan.heads { state.heads[stream] = count }
        return draft
    }

    private func store(
        _ draft: inout DraftBatch, _ isEarly: Bool, state: inout WriterState, meanwhile: (inout WriterState) -> Void
    ) throws -> WrittenBatch {
        let plan = draft.plan
        var written = WrittenBatch(outcomes: draft.outcomes, size: draft.after.size, isOnDisk: true)
        // While the server stores the rows, what they mean to the rest of the process is made ready.
        func prepare() {
            written.events = plan.rows.map { LoggedEvent(position: $0.position, version: $0.version, bytes: $0.bytes) }
            written.root = draft.after.root
        }
        if let buffers = draft.buffers {
            draft.buffers = nil
            written.isOnDisk = false
            try session.copyIn(
                script: draft.tiles.isEmpty ? LogSQL.copyEvents : LogSQL.copyBatch,
                payloads: draft.tiles.isEmpty ? [buffers.rows] : [buffers.rows, buffers.tiles]
            ) {
                // What a run's later appends may rest on is known once this batch is stored.
                if plan.broken.isEmpty { meanwhile(&state) }
                prepare()
            }
            state.buffers.append(buffers)
        } else if plan.rows.isEmpty {
            prepare()
        } else {
            written.isOnDisk = !isEarly
            _ = try session.pipeline([Self.insert(plan.rows, isEarly: isEarly)] + draft.tiles.map(Self.insert), meanwhile: prepare)
        }
        for (run, streams) in plan.broken { state.broken[run] = streams }
        return written
    }

    private static func replay(_ first: FirstAnswer, to append: PreparedAppend) -> Result<Appended, LogError> {
        Result { () throws(LogError) in try first.answer(to: append) }
    }

    /// What may be taken for granted.
    private enum Care {
        /// Nothing: commands and streams are looked up.
        case looking
        /// What storing the rows will prove.
        case guessing
        /// The same, and the session is busy: what would need a look is given up.
        case drafting
    }

    private struct NeedsLook: Error {}

    /// Tells the plan how long each stream of the batch is: remembered, guessed to be new, or looked up.
    /// - Returns: the streams that were guessed.
    private func learnHeads(
        of appends: [PreparedAppend], _ care: Care, state: inout WriterState, plan: inout BatchPlan
    ) throws -> Set<Key128> {
        var unknown: Set<Key128> = []
        var guessed: Set<Key128> = []
        func learn(_ key: Key128, isNew: Bool) {
            if plan.knows(key) { return }
            if let count = state.heads[key] {
                plan.setHead(count, of: key)
            } else if isNew && care != .looking {
                plan.setHead(0, of: key)
                guessed.insert(key)
                unknown.remove(key)
            } else {
                unknown.insert(key)
            }
        }
        for append in appends {
            for condition in append.conditions {
                learn(condition.key, isNew: condition.expected == .none || condition.expected == .exact(0))
            }
            for entry in append.entries { learn(entry.streamKey, isNew: false) }
        }
        if unknown.isEmpty { return guessed }
        if care == .drafting { throw NeedsLook() }
        let rows = try session.execute(LogSQL.heads, [.uuidArray(unknown.map(\.bytes))])
        for row in rows {
            guard let key = Key128(bytes: try row.uuid(0)) else { continue }
            plan.setHead(UInt64(try row.int(1)), of: key)
        }
        return guessed
    }

    /// The answers that commands of this batch got before.
    private func firstAnswers(to appends: [PreparedAppend]) throws -> [Key128: FirstAnswer] {
        let rows = try session.execute(LogSQL.commands, [.uuidArray(appends.map(\.command.bytes))])
        var answers: [Key128: FirstAnswer] = [:]
        for row in rows {
            guard let key = Key128(bytes: try row.uuid(0)), answers[key] == nil else { continue }
            let position = try row.int(1)
            let events = try session.execute(LogSQL.append, [.int(position), .int(Int64(AppendRequest.maximumEvents))])
            guard let answer = FirstAnswer(events: try events.map(LoggedEvent.init(row:))) else {
                throw LogError.unavailable("position \(position) holds an event that can't be read; run openledger audit")
            }
            answers[key] = answer
        }
        return answers
    }

    private static func insert(_ tile: FullTile) -> (Statement, [PostgresValue]) {
        (
            LogSQL.insertTile,
            [.int(Int64(tile.tile.level)), .int(Int64(tile.tile.index)), .bytes(tile.hashes), .bytes(tile.root.bytes)]
        )
    }

    private static func values(of row: BatchPlan.Row) -> [PostgresValue] {
        [
            .int(Int64(row.position)), .uuid(row.stream.bytes), .int(Int64(row.version)), row.command.map { .uuid($0.bytes) } ?? .null,
            .bytes(row.leaf.bytes), .bytes(row.bytes),
        ]
    }

    private static func insert(_ rows: [BatchPlan.Row], isEarly: Bool) -> (Statement, [PostgresValue]) {
        if rows.count == 1, !isEarly { return (LogSQL.insertOne, values(of: rows[0])) }
        return (
            isEarly ? LogSQL.insertEarly : LogSQL.insertMany,
            [
                .int8Array(rows.map { Int64($0.position) }), .uuidArray(rows.map(\.stream.bytes)),
                .int8Array(rows.map { Int64($0.version) }), .uuidArrayWithNulls(rows.map { $0.command?.bytes }),
                .byteaArray(rows.map(\.leaf.bytes)), .byteaArray(rows.map(\.bytes)),
            ]
        )
    }
}

extension BatchPlan.Row {
    fileprivate func append(to copy: inout BinaryCopy) {
        copy.startRow()
        copy.append(int8: Int64(position))
        copy.append(uuid: stream.high, stream.low)
        copy.append(int8: Int64(version))
        if let command { copy.append(uuid: command.high, command.low) } else { copy.appendNull() }
        leaf.withUnsafeBytes { copy.append(raw: $0) }
        copy.append(bytes: bytes)
    }
}

extension FullTile {
    fileprivate func append(to copy: inout BinaryCopy) {
        copy.startRow()
        copy.append(int2: Int16(tile.level))
        copy.append(int8: Int64(tile.index))
        copy.append(bytes: hashes)
        root.withUnsafeBytes { copy.append(raw: $0) }
    }
}

extension LoggedEvent {
    /// A row of position, version and bytes.
    init(row: Row) throws {
        self.init(position: UInt64(try row.int(0)), version: UInt64(try row.int(1)), bytes: try row.bytes(2))
    }
}
