internal import Crypto
public import EventLog
public import Events
public import HTTPClient
internal import Kafka
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
    let queue: AppendQueue
    private let pool: PostgresPool
    private let witnesses: [Witness]
    private let carriage: KafkaCarriage?
    let clock: LedgerClock
    let logger: Logger

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
        pool.addMetrics(to: metrics, pool: "ledger")
        let tail = LogTail()
        let instruments = LedgerInstruments(metrics: metrics, tail: tail)
        let reader = LogReader(pool: pool, tail: tail)
        let queue = AppendQueue()
        let tree = LatestTree()
        let leader = Leader(
            configuration: settings.database, holder: settings.instance, queue: queue, reader: reader, tail: tail, tree: tree,
            logger: logger, instruments: instruments)

        let keys: LogKeys
        do { keys = try await name(settings, pool, logger) } catch {
            await pool.close()
            throw error
        }
        do {
            let last = try await reader.newestTime()
            if let trouble = ClockCheck(clock).trouble(last: last, made: ClockCheck.programMade) { logger.error("\(trouble)") }
        } catch {
            // Whether the log can be read is found out, and told, by who leads.
            logger.debug("the clock could not be compared with the log's: \(error)")
        }
        let origin = keys.origin
        let witnesses = settings.witnesses.map {
            Witness(address: Witness.Address(key: $0.key, url: $0.url), transport: transport, reader: reader, logger: logger)
        }
        let checkpointer = Checkpointer(
            pool: pool, tree: tree, tail: tail, keys: keys, witnesses: witnesses, logger: logger, isLeading: { leader.isLeading })
        let carriage = settings.kafka.map {
            KafkaCarriage(
                settings: KafkaCarriage.Settings(
                    kafka: $0.configuration.observed(metrics, logger), topic: $0.topic, replication: $0.replication),
                source: origin, reader: reader, pool: pool, logger: logger, instruments: instruments,
                isLeading: { leader.isLeading })
        }
        instruments.watch(leader: leader, checkpointer: checkpointer, queue: queue)
        return Ledger(
            tail: tail, keys: keys, reader: reader, checkpointer: checkpointer, leader: leader, queue: queue, pool: pool,
            witnesses: witnesses, carriage: carriage, clock: clock, logger: logger)
    }

    /// The keys under the log's name: the first ledger to come gives it, and whoever is configured otherwise later goes by
    /// the name that the log has.
    private static func name(_ settings: LedgerSettings, _ pool: PostgresPool, _ logger: Logger) async throws -> LogKeys {
        // A name that can't be one must not become the log's for ever.
        _ = try LogKeys(origin: settings.origin, keys: settings.keys)
        let origin: String
        do {
            _ = try await pool.execute(LogSQL.claimOrigin, [.text(settings.origin)])
            origin = try await pool.execute(LogSQL.origin, []).one().text(0)
        } catch let error as PostgresError where error.code == .undefinedTable {
            throw LogError.unavailable("the database has no log yet: run openledger migrate")
        }
        if origin != settings.origin {
            logger.warning("the log is called \(origin), which stays; \(settings.origin) is configured")
        }
        let keys = try LogKeys(origin: origin, keys: settings.keys)
        if let last = try await pool.execute(LogSQL.lastCheckpoint, []).first { try keys.requireSignature(on: try last.text(1)) }
        return keys
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
            group.addTask { [self] in await announceRotations() }
            if let carriage { group.addTask { await carriage.run() } }
        }
        await pool.close()
    }

    /// Why this instance can't be used yet; nil when it can: it leads, or it reads for one that does.
    public var notReady: String? { notReady(patience: Self.patience) }

    /// An append that waits for longer stands for all that come: the database hangs, though it has not said so.
    static let patience = Duration.seconds(10)

    func notReady(patience: Duration) -> String? {
        if let oldest = queue.oldest, ContinuousClock.now - oldest > patience {
            return
                "an append waits for its commit since \((ContinuousClock.now - oldest).components.seconds) s: the database does not answer"
        }
        return switch leader.currentRole {
        case .leading, .waiting: checkpointer.latest == nil ? "no checkpoint has been signed yet" : nil
        case .refusing(let reason): reason
        case .starting: "the database can't be reached, or the log is being taken over"
        case .stopped: "it is stopping"
        }
    }

    /// The public halves of the keys that sign, newest first.
    public var verifierKeys: [VerifierKey] { keys.verifiers }

    /// Ends long polls and subscriptions: they would hold up a graceful stop, and their callers come back elsewhere.
    public func drain() { tail.drain() }

    /// Whether this instance writes.
    public var isLeading: Bool { leader.isLeading }

    /// Appends for a service: checks, waits for its place in a commit, answers after the commit.
    public func append(_ request: AppendRequest, writer: Service) async throws(LogError) -> Appended {
        let append = try PreparedAppend(request, writer: writer, now: clock.now())
        if let position = append.causePosition {
            try append.check(reactingTo: await causes(at: [position]).event(at: position))
        }
        return try await queue.submit(append).get()
    }

    /// Appends several requests in their order, each for itself; one that is refused holds back only those after it that expect
    /// something of a stream that it would have written.
    public func append(all requests: [AppendRequest], writer: Service) async -> [Result<Appended, LogError>] {
        var outcomes: [Result<Appended, LogError>?] = Array(repeating: nil, count: requests.count)
        var prepared: [Result<PreparedAppend, LogError>] = []
        prepared.reserveCapacity(requests.count)
        let now = clock.now()
        for request in requests {
            prepared.append(Result { () throws(LogError) in try PreparedAppend(request, writer: writer, now: now) })
        }
        let causes = await causes(at: prepared.compactMap { try? $0.get().causePosition })
        var appends: [PreparedAppend] = []
        var places: [Int] = []
        appends.reserveCapacity(requests.count)
        let id = UInt64.random(in: .min ... .max)
        var broken: Set<Key128> = []
        for (place, result) in prepared.enumerated() {
            do throws(LogError) {
                var append = try result.get()
                if let position = append.causePosition { try append.check(reactingTo: causes.event(at: position)) }
                append.run = PreparedAppend.Run(id: id, broken: broken)
                appends.append(append)
                places.append(place)
            } catch {
                broken.formUnion(requests[place].touchedStreams.map(\.key))
                outcomes[place] = .failure(error)
            }
        }
        for (place, answer) in zip(places, await queue.submit(appends)) { outcomes[place] = answer }
        return outcomes.compactMap(\.self)
    }

    /// The log as a service in this process sees it: the same rules, no socket in between.
    public func client(for service: Service) -> any LogClient { LocalLogClient(ledger: self, writer: service) }
}

/// The log without a socket.
private struct LocalLogClient: LogClient {
    let ledger: Ledger
    let writer: Service

    func append(_ request: AppendRequest) async throws -> Appended { try await ledger.append(request, writer: writer) }

    func append(all requests: [AppendRequest]) async -> [Result<Appended, any Error>] {
        await ledger.append(all: requests, writer: writer).map { $0.mapError { $0 as any Error } }
    }

    func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch {
        try await ledger.reader.read(from: position, limit: limit, wait: wait)
    }

    func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] {
        try await ledger.reader.read(stream: stream, from: version, limit: limit)
    }
}
