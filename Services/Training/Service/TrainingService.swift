internal import Blobs
internal import Decisions
public import Events
internal import Money
public import ServiceShell
internal import Telemetry
internal import TrainingDomain
public import Web

/// ModelFactory: registers models, queues fine-tuning jobs, hands them to runners, and keeps what they make.
public struct TrainingService: RunnableService {
    /// It is training.
    public static let service = Service.training

    /// Attribution reads rows and models, the gateway serves adapters.
    public static let grants: [String: Set<String>] = [
        Service.agentGateway.rawValue: ["models:read", "artefacts:read"], Service.attribution.rawValue: ["models:read", "artefacts:read"],
        Service.billing.rawValue: ["models:read"],
    ]

    /// Its routes, and when it is ready.
    public let mount: Mount
    private let desk: JobDesk

    /// Wires it.
    public static func open(_ context: ServiceContext) async throws -> TrainingService {
        let maker = DecisionMaker(.training, log: context.log, clock: context.clock, logger: context.logger) { TrainingState() }
        let evidence = try context.openEvidence()
        let artefacts = ArtefactStore(blobs: try context.openBlobs())
        let price = try TrainingPrice(context.settings)
        let lease = try context.settings.integer("TRAINING_LEASE", in: 1...3_600, default: 30)
        let stall = try context.settings.integer("TRAINING_STALL", in: 1...1_000_000, default: 3_600)
        let desk = JobDesk(maker: maker, lease: .seconds(lease), stall: .seconds(stall), logger: context.logger)
        let views = JobViews(maker: maker, desk: desk)
        let items = JobItems(maker: maker, evidence: evidence)
        let joining = try RunnerJoining(context.settings, maker: maker)
        let looks = RunnerLooks(context)
        let routes =
            ModelRoutes(maker: maker).routes + OriginRoutes(maker: maker, peers: context.peers, evidence: evidence).routes
            + JobRoutes(maker: maker, desk: desk, views: views, items: items, evidence: evidence, price: price, looks: looks).routes
            + JobControlRoutes(maker: maker, views: views).routes
            + RetrainingRoutes(maker: maker, views: views, items: items, evidence: evidence, price: price).routes
            + RunnerRoutes(
                maker: maker, desk: desk, items: items, evidence: evidence, artefacts: artefacts, peers: context.peers, joining: joining
            ).routes + JoiningRoutes(maker: maker, items: items, joining: joining).routes
            + ArtefactRoutes(artefacts: artefacts, maker: maker, joining: joining).routes
            + LookRoutes(maker: maker, views: views, evidence: evidence, price: price, looks: looks).routes
            + AdapterRoutes(views: views, artefacts: artefacts).routes
            + LineageRoutes(maker: maker, views: views, evidence: evidence).routes
        return TrainingService(mount: Mount(service.rawValue, routes: routes, checks: [maker.readiness]), desk: desk)
    }

    /// Follows the log until the task is cancelled.
    public func run() async { await desk.run() }
}
