internal import Crypto
internal import Engine
internal import Events
internal import JSON
internal import ServiceShell
internal import Synchronization
internal import Telemetry
internal import Threads

/// Takes one job after another, for as long as the runner runs.
struct JobWorker: Sendable {
    let desk: TrainingDesk
    let library: ModelLibrary
    let pool: ComputePool
    let logger: Logger

    func run() async {
        guard !library.models.isEmpty else { return }
        let bases = await registerModels()
        guard !bases.isEmpty else { return }
        // What this runner can't do is not asked for again.
        var declined: [String] = []
        // The same key until there is a job: a lease whose answer was lost is given again.
        var key = Self.newKey()
        while !Task.isCancelled {
            do {
                let order = try await desk.lease(wait: 20, bases: bases, key: key, declined: declined)
                guard let order else { continue }
                key = Self.newKey()
                if await work(on: order) == .elsewhere { declined = declined.suffix(999) + [order.job] }
            } catch {
                if Task.isCancelled { return }
                // What was leased under this key has gone on without this runner.
                if let error = error as? PeerError, error.status == 409 { key = Self.newKey() }
                logger.warning("training gave no job: \(error)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private static func newKey() -> String { "lease-" + Hex.encode(Random.bytes(16)) }

    /// Makes the base models known.
    /// - Returns: those that jobs are taken on, in order: a name that is somebody else's is left out.
    private func registerModels() async -> [String] {
        var bases: [String] = []
        for (name, model) in library.models.sorted(by: { $0.key < $1.key }) {
            while !Task.isCancelled {
                do {
                    try await desk.register(model)
                    bases.append(name)
                    break
                } catch {
                    if Self.isRefused(error) {
                        logger.warning("no jobs are taken on \(model.name), which is registered by somebody else: give it another name")
                        break
                    }
                    logger.warning("the base model \(model.name) is not registered yet: \(error)")
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        }
        return bases
    }

    private static func isRefused(_ error: any Error) -> Bool { (error as? PeerError)?.status == 403 }

    /// - Returns: what hindered it; nil when nothing did.
    private func work(on order: TrainingDesk.Order) async -> JobFault? {
        logger.info("works on a job", ["job": .string(order.job), "attempt": .integer(Int64(order.attempt))])
        let tuning = FineTuning(order: order, desk: desk, library: library, pool: pool, logger: logger)
        if let work = order.check {
            await look(at: work, order, tuning)
            return nil
        }
        do {
            try await tuning.run()
            return nil
        } catch {
            if Task.isCancelled { return .lost }
            let fault = JobFault(error)
            switch fault {
            case .halted: logger.info("a job was halted by its owner", ["job": .string(order.job)])
            case .lost: logger.info("a job is no longer this runner's", ["job": .string(order.job), "reason": .string("\(error)")])
            // Nobody is told: once this runner has been silent for as long as a lease lasts, the job goes on from its checkpoint.
            case .passing: logger.warning("a job is let go, and goes on later: \(error)", ["job": .string(order.job)])
            case .lasting, .elsewhere: await fail(order, error, elsewhere: fault == .elsewhere)
            }
            return fault
        }
    }

    private func fail(_ order: TrainingDesk.Order, _ error: any Error, elsewhere: Bool) async {
        logger.warning("a job failed: \(error)", ["job": .string(order.job)])
        do { try await desk.patiently(order) { try await desk.fail(order, reason: "\(error)", elsewhere: elsewhere) } } catch {
            logger.warning("its failure could not be told: \(error)")
        }
    }

    /// Looks at somebody's work. A look that comes to nothing is taken up again, here or elsewhere.
    private func look(at work: TrainingDesk.Work, _ order: TrainingDesk.Order, _ tuning: FineTuning) async {
        do {
            let finding = try await WorkCheck(order: order, work: work, tuning: tuning).run()
            let agrees = try await desk.told(order, finding)
            logger.info("looked at somebody's work", ["job": .string(order.job), "agrees": .boolean(agrees)])
        } catch {
            if Task.isCancelled { return }
            logger.warning("a look at somebody's work came to nothing: \(error)", ["job": .string(order.job)])
        }
    }
}
