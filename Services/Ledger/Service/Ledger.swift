internal import Crypto
public import EventLog
public import Events
public import HTTPClient
internal import LedgerDomain
internal import Postgres
public import Telemetry

/// The log's keeper: takes appends, gives events and proofs. What is wired to what.
///
/// Of several ledgers over one database one leads and writes; the others answer reads and take over when it goes.
public final class Ledger: Sendable {
    /// The end of the log as this process knows it.
    public let tail: LogTail
    let keys: LogKeys
    let reader: LogReader
    let checkpointer: Checkpointer
    private let leader: Leader
    private let queue: AppendQueue
    private let pool: PostgresPool
    private let witnesses: [Witness]
    private let carriage: KafkaCarriage?
    private let clock: LedgerClock
    private let logger: Logger

    private init(
        tail: LogTail, keys: LogKeys, reader: LogReader, checkpointer: Checkpointer, leader: Leader, queue: AppendQueue,
        pool: PostgresPool, witnesses: [Witness], carriage: KafkaCarriage?, clock: LedgerClock, logger: Logger
    ) {
        self.tail = tail
        self.keys = keys
        self.reader = reader
        self.checkpointer = checkpointer
        self.leader = leader
        self.queue = queue
        self.pool = pool
        self.witnesses = witnesses
        self.carriage = carriage
        self.clock = clock
        self.logger = logger
    }

    /// Connects to a migrated database and wires the parts. Nothing runs before ``run()``.
    public static func make(
        _ settings: LedgerSettings, transport: any Transport, logger: Logger, metrics: Metrics, clock: LedgerClock = .system
    ) async throws -> Ledger {
        let pool = PostgresPool(settings.database, size: settings.readers)
        let tail = LogTail()
        let instruments = LedgerInstruments(metrics: metrics, tail: tail)
        let reader = LogReader(pool: pool, tail: tail)
        let queue = AppendQueue()
        let tree = LatestTree()
        let leader = Leader(
            configuration: settings.database, holder: settings.instance, queue: queue, reader: reader, tail: tail, tree: tree,
            logger: logger, instruments: instruments)

        // The first to come names the log; whoever is configured otherwise later goes by the name it has.
        _ = try await pool.execute(LogSQL.claimOrigin, [.text(settings.origin)])
        let origin = try await pool.execute(LogSQL.origin, []).one().text(0)
        let keys = try LogKeys(origin: origin, keys: settings.keys)
        let witnesses = settings.witnesses.map {
            Witness(address: Witness.Address(key: $0.key, url: $0.url), transport: transport, reader: reader, logger: logger)
        }
        let checkpointer = Checkpointer(
            pool: pool, tree: tree, tail: tail, keys: keys, witnesses: witnesses, logger: logger, isLeading: { leader.isLeading })
        let carriage = settings.kafka.map {
            KafkaCarriage(
                settings: KafkaCarriage.Settings(kafka: $0.configuration, topic: $0.topic, replication: $0.replication),
                source: origin, reader: reader, pool: pool, logger: logger, instruments: instruments,
                isLeading: { leader.isLeading })
        }
        return Ledger(
            tail: tail, keys: keys, reader: reader, checkpointer: checkpointer, leader: leader, queue: queue, pool: pool,
            witnesses: witnesses, carriage: carriage, clock: clock, logger: logger)
    }

    /// Leads or waits, signs, publishes, until cancelled; then lets go of the database.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [leader] in await leader.run() }
            group.addTask { [checkpointer] in await checkpointer.run() }
            for witness in witnesses {
                group.addTask { [checkpointer] in
                    await witness.run { line, checkpoint, number in
                        try await checkpointer.keep(line, for: checkpoint, number: number)
                    }
                }
            }
            group.addTask { [self] in await announceRotation() }
            if let carriage { group.addTask { await carriage.run() } }
        }
        await pool.close()
    }

    /// Puts the rotation to the newest key on the log when this instance leads. The command's id makes it happen once.
    private func announceRotation() async {
        while !Task.isCancelled {
            do {
                guard let rotation = try keys.rotation() else { return }
                if isLeading {
                    let request = try KeyRotation.append(data: rotation.data, next: rotation.next, time: clock.now())
                    _ = try await append(request, writer: .ledger)
                    return
                }
            } catch {
                logger.warning("the rotation of the log's key is not on the log yet: \(error)")
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Why this instance can't be used yet; nil when it can: it leads, or it reads for one that does.
    public var notReady: String? {
        switch leader.currentRole {
        case .leading, .waiting: checkpointer.latest == nil ? "no checkpoint has been signed yet" : nil
        case .starting: "the database can't be reached, or the log is being taken over"
        case .stopped: "it is stopping"
        }
    }

    /// The public halves of the keys that sign, newest first.
    public var verifierKeys: [VerifierKey] { keys.verifiers }

    /// Whether this instance writes.
    public var isLeading: Bool { leader.isLeading }

    /// Appends for a service: checks, waits for its place in a commit, answers after the commit.
    public func append(_ request: AppendRequest, writer: Service) async throws(LogError) -> Appended {
        let append = try PreparedAppend(request, writer: writer, now: clock.now())
        if let position = append.causePosition {
            let event: LoggedEvent?
            do { event = try await reader.event(at: position) } catch { throw .unavailable("\(error)") }
            try append.check(reactingTo: event)
        }
        return try await queue.submit(append).get()
    }

    /// The log as a service in this process sees it: the same rules, no socket in between.
    public func client(for service: Service) -> any LogClient { LocalLogClient(ledger: self, writer: service) }
}

/// The log without a socket.
private struct LocalLogClient: LogClient {
    let ledger: Ledger
    let writer: Service

    func append(_ request: AppendRequest) async throws -> Appended { try await ledger.append(request, writer: writer) }

    func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch {
        try await ledger.reader.read(from: position, limit: limit, wait: wait)
    }

    func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] {
        try await ledger.reader.read(stream: stream, from: version, limit: limit)
    }
}
