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
        await registerModels()
        while !Task.isCancelled {
            do {
                let key = "lease-" + Hex.encode(Random.bytes(16))
                guard let order = try await desk.lease(wait: 20, key: key) else { continue }
                await work(on: order)
            } catch {
                if Task.isCancelled { return }
                logger.warning("training gave no job: \(error)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func registerModels() async {
        for model in library.models.values {
            while !Task.isCancelled {
                do {
                    try await desk.register(model)
                    break
                } catch {
                    logger.warning("the base model \(model.name) is not registered yet: \(error)")
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        }
    }

    private func work(on order: TrainingDesk.Order) async {
        logger.info("works on a job", ["job": .string(order.job), "attempt": .integer(Int64(order.attempt))])
        do {
            try await FineTuning(order: order, desk: desk, library: library, pool: pool).run()
        } catch RunnerError.lost {
            logger.info("a job is no longer this runner's", ["job": .string(order.job)])
        } catch {
            if Task.isCancelled { return }
            logger.warning("a job failed: \(error)", ["job": .string(order.job)])
            do { try await desk.fail(order, reason: "\(error)") } catch { logger.warning("its failure could not be told: \(error)") }
        }
    }
}
