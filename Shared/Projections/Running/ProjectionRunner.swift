public import EventLog
public import Postgres
public import Telemetry

/// Keeps one projection up with the log.
///
/// Events are applied in the log's order, many in a transaction when there are many; the position moves in the same
/// transaction, so each has its effect exactly once, whatever is repeated or lost on the way and whoever is killed.
/// Of several runners of one projection, in one or several processes, one applies and the others wait to take over.
///
/// An event that can't be applied stops it: ``status`` says so and it waits, with nothing lost, for ``resume()``, a restart or
/// another instance that can apply it. It never skips one. Only trouble that passes by itself is tried again.
public final class ProjectionRunner: Sendable {
    /// What it runs.
    public let projection: any Projection
    let carrier: any EventCarrier
    let client: any LogClient
    let database: PostgresConfiguration
    let options: ProjectionOptions
    let logger: Logger
    let instruments: ProjectionInstruments
    let positions: PositionTable
    let applier: Applier
    let board: Board
    /// Rings when somebody asks it to try again.
    let resumed = Bell()

    /// - Parameters:
    ///   - carrier: brings the events; it is closed when ``run()`` ends.
    ///   - client: the ledger, for events that the carrier leaves out.
    ///   - database: with the service's own role. The runner holds one connection.
    /// - Throws: ``ProjectionError/badName(what:name:)``.
    public init(
        _ projection: any Projection, carrier: any EventCarrier, client: any LogClient, database: PostgresConfiguration,
        options: ProjectionOptions = ProjectionOptions(), logger: Logger = .silent, metrics: Metrics = Metrics()
    ) throws(ProjectionError) {
        try projection.checkNames()
        self.projection = projection
        self.carrier = carrier
        self.client = client
        self.options = options
        self.logger = logger.with(["projection": .string(projection.label)])
        instruments = ProjectionInstruments(metrics, projection)
        positions = try PositionTable(schema: projection.schema)
        applier = Applier(projection: projection, tables: TableNames(projection), positions: positions)
        board = Board(projection: projection.label)
        var database = database
        database.applicationName = "openledger \(projection.label)"
        // A crash of the server may forget the last transactions whole, rows and position alike, and they are applied again:
        // waiting for the disk would buy nothing that the log does not give.
        database.parameters["options"] = [database.parameters["options"], "-c synchronous_commit=off"].compactMap { $0 }.joined(
            separator: " ")
        self.database = database
    }

    /// How it stands.
    public var status: ProjectionStatus { board.status }

    /// Waits until an event is in the rows, so that its writer can read what it wrote.
    /// - Parameter position: the event's; see ``AppliedPosition``.
    /// - Throws: ``ProjectionError/notYetApplied(projection:position:next:)`` after `timeout`, ``ProjectionError/stopped(projection:position:reason:)``
    ///   at once when the projection has stopped before it, or `CancellationError`.
    public func waitUntilApplied(_ position: UInt64, timeout: Duration) async throws {
        try await board.wait(for: position, timeout: timeout)
    }

    /// Tries the event again at which it stopped. Nothing happens when it has not stopped.
    public func resume() { resumed.ring() }

    /// Runs until the task is cancelled.
    public func run() async {
        var pause = Pause(options)
        while !Task.isCancelled {
            do {
                let connection = try await PostgresConnection.connect(database)
                do {
                    try await serve(connection) { pause = Pause(options) }
                    await connection.close()
                } catch {
                    await connection.close()
                    throw error
                }
            } catch {
                switch Failure(error) {
                case .cancelled, .moved: continue
                case .away(let reason), .collision(let reason), .refused(let reason):
                    instruments.retries.add()
                    enter(.retrying(reason: reason))
                    try? await Task.sleep(for: pause.next())
                }
            }
        }
        await carrier.close()
        enter(.idle)
    }

    func enter(_ state: ProjectionStatus.State) {
        let old = board.status.state
        guard old != state else { return }
        board.enter(state)
        instruments.show(board.status)
        switch state {
        case .stopped, .wrongVersion: logger.error("\(board.status)")
        case .retrying(let reason): logger.warning("tries again: \(reason)", ["next": .integer(Int64(board.status.next))])
        default: logger.info("\(state)", ["next": .integer(Int64(board.status.next))])
        }
    }

    func reached(_ next: UInt64) {
        board.reached(next)
        instruments.show(board.status)
    }
}

/// Growing pauses with jitter.
struct Pause {
    private var step: Duration
    private let maximum: Duration

    init(_ options: ProjectionOptions) {
        step = options.initialPause
        maximum = options.maximumPause
    }

    mutating func next() -> Duration {
        defer { step = min(step * 2, maximum) }
        return step * Double.random(in: 0.5...1)
    }
}
