internal import EventLog
internal import Postgres
internal import Telemetry
internal import Synchronization
internal import Threads

/// Signs a checkpoint soon after each commit, keeps it, and serves the newest.
///
/// A checkpoint is signed only over what is committed, and kept before it is shown: so no two checkpoints of this log
/// ever contradict each other, whichever instance signed them.
final class Checkpointer: Sendable {
    /// The least time between two checkpoints: a busy log signs three times a second, well within one second after any
    /// append.
    static let interval = Duration.milliseconds(300)

    /// How often checkpoints go that nothing needs any more, and how many at once.
    private static let thinning = (every: Duration.seconds(300), atMost: Int64(50_000))

    private struct State {
        var latest: SignedCheckpoint?
        var number: Int64 = 0
        var cosigned: SignedCheckpoint?
        var cosignedNumber: Int64 = 0
        /// Whether nobody else can have signed since: false until this instance has looked as the leader.
        var isCurrent = false
        var thinned: ContinuousClock.Instant?
    }

    private let pool: PostgresPool
    private let tree: LatestTree
    private let tail: LogTail
    private let keys: LogKeys
    private let isLeading: @Sendable () -> Bool
    private let witnesses: [Witness]
    private let logger: Logger
    private let state = Lock(State())

    init(
        pool: PostgresPool, tree: LatestTree, tail: LogTail, keys: LogKeys, witnesses: [Witness], logger: Logger,
        isLeading: @escaping @Sendable () -> Bool
    ) {
        self.pool = pool
        self.tree = tree
        self.tail = tail
        self.keys = keys
        self.witnesses = witnesses
        self.logger = logger
        self.isLeading = isLeading
    }

    /// The newest checkpoint; nil before the first.
    var latest: SignedCheckpoint? { state.withLock { $0.latest } }

    /// The newest checkpoint that a witness cosigned.
    var cosigned: SignedCheckpoint? { state.withLock { $0.cosigned } }

    /// Signs until cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                if isLeading() {
                    let begin = ContinuousClock.now
                    try await sign()
                    await thin()
                    await tail.waitPast(latest?.checkpoint.size ?? 0, for: .seconds(1))
                    // After a quiet moment at once, under load no more often than the interval says.
                    try await Task.sleep(until: begin + Self.interval, clock: .continuous)
                } else {
                    state.withLock { $0.isCurrent = false }
                    try await follow()
                    try await Task.sleep(for: .milliseconds(100))
                }
            } catch is CancellationError {
                return
            } catch {
                // Perhaps another instance signed last: look again before the next attempt.
                state.withLock { $0.isCurrent = false }
                if Task.isCancelled { return }
                logger.error("no new checkpoint: \(error)")
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func sign() async throws {
        if !state.withLock({ $0.isCurrent }) { try await adoptKept() }
        let (size, root) = tree.current
        if let latest, latest.checkpoint.size > size || (latest.checkpoint.size == size && keys.haveSigned(latest)) { return }
        let checkpoint = Checkpoint(origin: keys.origin, size: size, root: root)
        let signed = try SignedCheckpoint(signing: checkpoint, by: keys.signers)
        let number = state.withLock { $0.number } + 1
        _ = try await pool.execute(
            LogSQL.keepCheckpoint, [.int(number), .int(Int64(size)), .text(signed.note.encoded)])
        state.withLock { state in
            state.latest = signed
            state.number = number
        }
        for witness in witnesses { witness.offer(signed, number: number) }
    }

    /// Lets checkpoints go that neither history nor a witness needs: the table would outgrow the log's tree.
    private func thin() async {
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            if let last = state.thinned, now - last < Self.thinning.every { return false }
            state.thinned = now
            return true
        }
        guard isDue else { return }
        do {
            // More than one round only where none was let go of for long.
            while try await pool.execute(LogSQL.thinCheckpoints, [.int(Self.thinning.atMost)]).one().int(0) == Self.thinning.atMost {}
        } catch {
            if !Task.isCancelled { logger.warning("superfluous checkpoints could not be removed: \(error)") }
        }
    }

    /// Takes up what another instance, or this one in an earlier life, signed last; witnesses that have not cosigned it yet
    /// are offered it again.
    private func adoptKept() async throws {
        try await follow()
        let (latest, number) = state.withLock { state in
            state.isCurrent = true
            return (state.latest, state.number)
        }
        guard let latest else { return }
        for witness in witnesses where !latest.note.signatures.contains(where: { $0.isBy(witness.address.key) }) {
            witness.offer(latest, number: number)
        }
    }

    private func follow() async throws {
        if let kept = try await load(LogSQL.lastCheckpoint) {
            try await showEvents(under: kept.signed.checkpoint)
            state.withLock { state in
                state.latest = kept.signed
                state.number = kept.number
            }
        }
        if !witnesses.isEmpty, let kept = try await load(LogSQL.lastCosigned) {
            state.withLock { state in
                state.cosigned = kept.signed
                state.cosignedNumber = kept.number
            }
        }
    }

    /// Whoever is shown a checkpoint may ask for what it covers: so the end of the log goes before it. What was signed for is
    /// on disk; of a store that has lost some of it, what is left is shown.
    private func showEvents(under checkpoint: Checkpoint) async throws {
        guard checkpoint.size > tail.size else { return }
        let stored = UInt64(try await pool.execute(LogSQL.size, []).one().int(0))
        tail.advance(to: min(stored, checkpoint.size), events: [])
    }

    private func load(_ statement: Statement) async throws -> (number: Int64, signed: SignedCheckpoint)? {
        guard let row = try await pool.execute(statement, []).first else { return nil }
        let number = try row.int(0)
        var signed = try SignedCheckpoint(unverified: try row.text(1))
        for line in try await pool.execute(LogSQL.cosignatures, [.int(number)]) {
            signed.add(try NoteSignature(line: try line.text(0)))
        }
        return (number, signed)
    }

    /// Keeps a witness's line for one of our checkpoints and serves it from then on.
    func keep(_ signature: NoteSignature, for signed: SignedCheckpoint, number: Int64) async throws {
        _ = try await pool.execute(LogSQL.keepCosignature, [.int(number), .text(signature.line)])
        state.withLock { state in
            if state.number == number { state.latest?.add(signature) }
            if state.cosignedNumber > number { return }
            if state.cosignedNumber < number {
                state.cosigned = signed
                state.cosignedNumber = number
            }
            state.cosigned?.add(signature)
        }
    }
}
