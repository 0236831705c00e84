internal import Threads

/// Reads level-0 tiles ahead of whoever takes them: a few batches at once, handed over in order.
struct LogPipeline {
    let source: any LogSource
    let size: UInt64
    let from: UInt64
    let threads: Int

    /// Tiles in a batch: 8,192 events, so that starting a thread costs nothing beside the work.
    static let batch: UInt64 = 32

    /// Counts what is done.
    struct Meter {
        private let start = ContinuousClock.now
        private let total: UInt64
        private var done: UInt64 = 0
        private var bytes: UInt64 = 0

        init(total: UInt64, done: UInt64 = 0) {
            self.total = total
            self.done = done
        }

        mutating func add(events: Int, bytes: Int) {
            done += UInt64(events)
            self.bytes += UInt64(bytes)
        }

        var progress: LogProgress { LogProgress(done: min(done, total), total: total, bytes: bytes, elapsed: ContinuousClock.now - start) }
    }

    /// Runs `work` on every tile from that of leaf `from` to the last, and `take` on each result in order.
    func run<Result: Sendable>(
        _ work: @escaping @Sendable (LeafTile) throws -> Result, take: (Result) async throws -> Void, eachBatch: () async throws -> Void
    ) async throws {
        // Whatever number was signed for: no sum here may overflow.
        let end = size >> UInt64(Tile.height) + (size % UInt64(Tile.fullWidth) == 0 ? 0 : 1)
        var next = from >> UInt64(Tile.height)
        var running: [Task<[Result], any Error>] = []
        defer { for task in running { task.cancel() } }
        func start() {
            guard next < end else { return }
            let tiles = (next..<min(next + Self.batch, end)).compactMap { Tile.at(level: 0, index: $0, size: size) }
            next += UInt64(tiles.count)
            running.append(Task { [source] in try await source.map(tiles, work) })
        }
        for _ in 0..<threads { start() }
        while !running.isEmpty {
            let task = running.removeFirst()
            let results = try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
            start()
            for result in results { try await take(result) }
            try Task.checkCancellation()
            try await eachBatch()
        }
    }
}
