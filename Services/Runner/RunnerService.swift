internal import Engine
public import Events
internal import Identity
public import ServiceShell
internal import Telemetry
public import Web

/// The embedded runner: fine-tunes leased jobs, and answers over base models and adapters, with the engine.
public struct RunnerService: RunnableService {
    /// It works for training, and has no events of its own.
    public static let service = Service.training
    /// `runner`.
    public static let name = "runner"
    /// Who computes, as the log names it.
    static let principal = Vouching.runner.subject

    /// The gateway asks it for answers, attribution for rows of answers.
    public static let grants: [String: Set<String>] = [
        Service.agentGateway.rawValue: ["runners:serve"], Service.attribution.rawValue: ["runners:serve"],
        Service.training.rawValue: ["runners:serve"],
    ]

    /// Its routes.
    public let mount: Mount
    private let worker: JobWorker
    private let logger: Logger

    /// Wires it. Models are loaded here, so that a broken one is said at once.
    public static func open(_ context: ServiceContext) async throws -> RunnerService {
        let signer = context.signer
        let peers = context.peers.using { service in
            try signer.mint(
                subject: principal, audience: service.rawValue, kind: Vouching.runner.kind, scopes: Vouching.runner.scopes, lifetime: 300)
        }
        let threads = try context.settings.integer("RUNNER_THREADS", in: 1...256, default: 2)
        let pool = try ComputePool(threads: threads)
        let library = try await ModelLibrary.open(
            context.settings, folder: context.folder + "/runner", peers: peers, pool: pool, logger: context.logger)
        let pace = Duration.milliseconds(try context.settings.integer("RUNNER_REPORT_MILLISECONDS", in: 1...10_000, default: 500))
        let worker = JobWorker(
            desk: TrainingDesk(peers: peers, pace: pace), library: library, pool: try ComputePool(threads: threads), logger: context.logger)
        return RunnerService(
            mount: Mount(
                name,
                routes: ServingRoutes(library: library, artefacts: TrainingDesk(peers: peers)).routes
                    + LookingRoutes(library: library).routes), worker: worker, logger: context.logger)
    }

    /// Works on jobs until the task is cancelled.
    public func run() async { await worker.run() }
}
