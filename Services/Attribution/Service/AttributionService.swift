internal import Blobs
internal import Decisions
public import Events
public import ServiceShell
internal import Telemetry
public import Web

/// Proof of Attribution: indexes every published snapshot, says of every answer which data shaped it and how sure that is, and keeps the
/// evidence from which anybody can compute the shares again.
public struct AttributionService: RunnableService {
    /// It is attribution.
    public static let service = Service.attribution

    /// The gateway shows attributions to who asked, billing to who is paid.
    public static let grants: [String: Set<String>] = [
        Service.agentGateway.rawValue: ["attributions:read", "attributions:trace"], Service.billing.rawValue: ["attributions:read"],
    ]

    /// Its routes, and when it is ready.
    public let mount: Mount
    private let desk: AttributionDesk

    /// Wires it.
    public static func open(_ context: ServiceContext) async throws -> AttributionService {
        let maker = DecisionMaker(.attribution, log: context.log, clock: context.clock, logger: context.logger) { AttributionState() }
        let evidence = try context.openEvidence()
        let history = SnapshotHistory { snapshot in try await maker.query { $0.history(before: snapshot) } }
        let keeper = try IndexKeeper(
            folder: context.folder, peers: context.peers, evidence: evidence, history: history, logger: context.logger)
        let passages = PassageTexts(peers: context.peers, keeper: keeper)
        let texts = AnswerTexts(peers: context.peers)
        let gathering = Gathering(
            keeper: keeper, rows: try RowShelf(folder: context.folder, peers: context.peers, logger: context.logger), texts: texts,
            passages: passages, evidence: evidence, patience: 12)
        let desk = AttributionDesk(
            maker: maker, log: context.log, keeper: keeper, gathering: gathering, passages: passages, evidence: evidence,
            logger: context.logger, figures: AttributionFigures(context.metrics))
        let backlog = try context.settings.integer("ATTRIBUTION_BACKLOG", in: 1...10_000_000, default: 1_000)
        let routes =
            AttributionRoutes(maker: maker, keeper: keeper, evidence: evidence, texts: texts, log: context.log).routes
            + IndexRoutes(maker: maker, keeper: keeper, clock: context.clock, backlog: backlog).routes
        let checks = [
            maker.readiness,
            ReadinessCheck("attribution-backlog") {
                guard let count = try? await maker.query({ $0.waiting.count }), count > backlog else { return .ready }
                return .notReady("\(count) answers wait for their attribution")
            },
            ReadinessCheck("attribution") {
                if let trouble = await desk.trouble { return .notReady(trouble) }
                return await desk.lateness.map { .degraded("put off while the rest goes on: \($0)") } ?? .ready
            },
        ]
        return AttributionService(mount: Mount(service.rawValue, routes: routes, checks: checks), desk: desk)
    }

    /// Follows the log, indexes and attributes until the task is cancelled.
    public func run() async { await desk.run() }
}
