internal import Synchronization
internal import Threads

/// A fixed number of threads of our own for long computations, with the kernels of one level. Nothing computed here runs on
/// Swift's cooperative pool. One computation at a time has the pool; a second waits on its own thread.
///
/// How work is divided never changes a result: every sum is made by one thread in an order that the work decides.
public final class ComputePool: Sendable {
    /// How many threads compute, the calling one included.
    public let threads: Int
    /// Which instructions they use.
    public var level: KernelLevel { kernels.level }
    let kernels: Kernels
    private let workers: [Worker]
    private let turn = Lock(())

    /// Starts the threads.
    /// - Parameters:
    ///   - threads: 1…256.
    ///   - level: the level to pin, for the repeat of a recorded run; nil: the processor's best.
    public init(threads: Int, level: KernelLevel? = nil) throws(EngineError) {
        guard (1...256).contains(threads) else { throw .badSetting("threads must be in 1…256, is \(threads)") }
        let wanted = level ?? KernelLevel.best
        guard let kernels = Kernels(wanted) else {
            let names = KernelLevel.available.map(\.rawValue).joined(separator: ", ")
            throw .unsupported("kernel level \(wanted.rawValue) on this processor (it has \(names))")
        }
        self.threads = threads
        self.kernels = kernels
        workers = (1..<threads).map { _ in Worker() }
        for (index, worker) in workers.enumerated() { OSThread.start(name: "compute-\(index + 1)") { worker.run() } }
    }

    deinit { for worker in workers { worker.end() } }

    /// Runs `body` for every index below `count`, each once, on any of the threads; returns when all are done. Blocks: call it
    /// from a thread of our own. `worker` is below ``threads`` and names a workspace that no other call has meanwhile.
    func each(_ count: Int, _ body: @Sendable (_ index: Int, _ worker: Int) -> Void) {
        guard count > 1, threads > 1 else {
            for index in 0..<count { body(index, 0) }
            return
        }
        turn.withLock { _ in
            withoutActuallyEscaping(body) { body in
                let job = Job(count: count, body: body)
                let helpers = workers.prefix(count - 1)
                for (index, worker) in helpers.enumerated() { worker.give(job, as: index + 1) }
                job.work(as: 0)
                for worker in helpers { worker.finish() }
            }
        }
    }

    /// `count` items in as many even pieces as there are threads.
    func split(_ count: Int, atLeast least: Int = 1, _ body: @Sendable (_ range: Range<Int>, _ worker: Int) -> Void) {
        let pieces = min(threads, max(1, count / max(1, least)))
        each(pieces) { piece, worker in body(count * piece / pieces..<count * (piece + 1) / pieces, worker) }
    }

    /// Runs a long computation on a thread of its own and awaits its result.
    func perform<Result: Sendable>(_ name: String, _ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await OSThread.run(name: name, body)
    }
}

extension ComputePool {
    private final class Job: Sendable {
        private let next = Atomic<Int>(0)
        private let count: Int
        private let body: @Sendable (Int, Int) -> Void

        init(count: Int, body: @escaping @Sendable (Int, Int) -> Void) {
            self.count = count
            self.body = body
        }

        func work(as worker: Int) {
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                body(index, worker)
            }
        }
    }

    private final class Worker: Sendable {
        private struct State {
            var job: Job?
            var number = 0
            var isEnded = false
        }

        private let state = Lock(State())
        private let started = ThreadSignal()
        private let done = ThreadSignal()

        func give(_ job: Job, as number: Int) {
            state.withLock {
                $0.job = job
                $0.number = number
            }
            started.raise()
        }

        func finish() {
            while !done.wait(atMost: .seconds(3600)) {}
        }

        func end() {
            state.withLock { $0.isEnded = true }
            started.raise()
        }

        func run() {
            while true {
                guard started.wait(atMost: .seconds(3600)) else { continue }
                let (hasWorked, isEnded) = workOnce()
                if hasWorked { done.raise() }
                if isEnded { return }
            }
        }

        /// A call of its own, so that the job is let go of before the giver hears that it is done.
        @inline(never)
        private func workOnce() -> (hasWorked: Bool, isEnded: Bool) {
            let (job, number, isEnded) = state.withLock { state in
                defer { state.job = nil }
                return (state.job, state.number, state.isEnded)
            }
            job?.work(as: number)
            return (job != nil, isEnded)
        }
    }
}
