public import EventLog
public import Events
public import Telemetry

/// The log as the parts of one process follow it, when events come by a carrier: one carrier brings what is new, and all who
/// wait for it are served from memory. Whatever is not new, and every append, goes to the ledger.
///
/// The events lie dense and in order here, whatever the carrier repeats or leaves out; who is behind what is kept reads from
/// the ledger until it has caught up.
public actor CarriedLog: LogClient {
    /// How many bytes of the newest events are kept.
    private static let keptBytes = 16 << 20
    private static let batch = 1_000
    private static let patience = Duration.seconds(20)
    private static let pause = Duration.milliseconds(250)

    private struct Waiter {
        let continuation: CheckedContinuation<Void, any Error>
        var timer: Task<Void, Never>?
    }

    private let ledger: any LogClient
    private let carrier: any EventCarrier
    private let logger: Logger
    /// The newest events; the first of them stands at `start`.
    private var kept: [LoggedEvent] = []
    private var bytes = 0
    private var start: UInt64 = 0
    private var waiters: [UInt64: Waiter] = [:]
    private var lastWaiter: UInt64 = 0
    private var pump: Task<Void, Never>?

    /// - Parameters:
    ///   - ledger: the ledger itself.
    ///   - carrier: brings what is new. It begins where the first reader waits.
    public init(_ ledger: any LogClient, carrier: any EventCarrier, logger: Logger = .silent) {
        self.ledger = ledger
        self.carrier = carrier
        self.logger = logger
    }

    /// Stops the carrier. Who waits is told that it was cancelled.
    public func close() async {
        pump?.cancel()
        await pump?.value
        wake(throwing: CancellationError())
        await carrier.close()
    }

    private var end: UInt64 { start + UInt64(kept.count) }

    // MARK: Reading

    /// Events from a position on: what can be waited for comes by the carrier.
    public func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch {
        guard let wait, wait > .zero else { return try await ledger.read(from: position, limit: limit, wait: wait) }
        follow(from: position)
        if position >= end { try await arrival(atMost: wait) }
        guard position >= start else { return try await ledger.read(from: position, limit: limit, wait: wait) }
        guard position < end else { return LogBatch(events: [], size: end) }
        let first = Int(position - start)
        return LogBatch(events: Array(kept[first..<min(kept.count, first + max(0, limit))]), size: end)
    }

    /// Begins at the first reader's place, and jumps ahead to one that is further than what was brought.
    private func follow(from position: UInt64) {
        if pump == nil || position > end {
            start = position
            kept = []
            bytes = 0
            // Who waits for what is skipped now finds it at the ledger.
            wake()
        }
        if pump == nil { pump = Task { await self.run() } }
    }

    private func arrival(atMost wait: Duration) async throws {
        lastWaiter += 1
        let id = lastWaiter
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                let timer = Task {
                    guard (try? await Task.sleep(for: wait)) != nil else { return }
                    self.release(id, .success(()))
                }
                waiters[id] = Waiter(continuation: continuation, timer: timer)
            }
        } onCancel: {
            Task { await self.release(id, .failure(CancellationError())) }
        }
    }

    private func release(_ id: UInt64, _ result: Result<Void, any Error>) {
        guard let waiter = waiters.removeValue(forKey: id) else { return }
        waiter.timer?.cancel()
        waiter.continuation.resume(with: result)
    }

    private func wake(throwing error: (any Error)? = nil) {
        for id in Array(waiters.keys) { release(id, error.map { .failure($0) } ?? .success(())) }
    }

    // MARK: Bringing

    private func run() async {
        while !Task.isCancelled {
            do {
                let batch = try await carrier.deliver(from: end, limit: Self.batch, wait: Self.patience)
                take(batch.events)
            } catch {
                if Task.isCancelled { return }
                logger.warning("events do not come: \(error)")
                wake(throwing: error)
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private func take(_ events: [LoggedEvent]) {
        let before = end
        for event in events.sorted(by: { $0.position < $1.position }) where event.position == end {
            kept.append(event)
            bytes += event.bytes.count
        }
        if bytes > Self.keptBytes {
            // Half of it at once, so that little is moved for each event that comes.
            var dropped = 0
            while bytes > Self.keptBytes / 2, dropped < kept.count - 1 {
                bytes -= kept[dropped].bytes.count
                dropped += 1
            }
            kept.removeFirst(dropped)
            start += UInt64(dropped)
        }
        if end > before { wake() }
    }

    // MARK: To the ledger

    /// Appends at the ledger.
    public func append(_ request: AppendRequest) async throws -> Appended { try await ledger.append(request) }

    /// Appends at the ledger, as one run.
    public func append(all requests: [AppendRequest]) async -> [Result<Appended, any Error>] { await ledger.append(all: requests) }

    /// Reads a stream at the ledger.
    public func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] {
        try await ledger.read(stream: stream, from: version, limit: limit)
    }
}
