internal import AdapterRouter
internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Blobs
internal import Decisions
public import Events
public import Identity
internal import Postgres
public import ServiceShell
internal import Telemetry
public import Web
internal import Webhooks

/// The door for people, apps and agents: who they are, what they may ask, what it costs, and what was answered.
public struct AgentGatewayService: RunnableService {
    /// It is the agent gateway.
    public static let service = Service.agentGateway

    /// Attribution reads what was answered.
    public static let grants: [String: Set<String>] = [
        Service.attribution.rawValue: ["inferences:read", "inferences:content"], Service.billing.rawValue: ["principals:read"],
        Service.ingest.rawValue: ["principals:read"], Service.datanet.rawValue: ["principals:read"],
    ]

    /// Its routes, and when it is ready.
    public let mount: Mount
    /// The API keys that principals were given.
    public let apiKeys: (any APIKeyStore)?
    private let maker: DecisionMaker<GatewayState>
    private let economy: Economy
    private let fineTuning: FineTuningDesk
    private let contents: InferenceContents
    let underWay: AnswersUnderWay
    let named: NamedAnswers
    private let logger: Logger
    /// Nil where passages are found by their words alone.
    private let similar: SimilarPassages?
    private let clock: @Sendable () -> Timestamp

    /// Wires it.
    public static func open(_ context: ServiceContext) async throws -> AgentGatewayService {
        let remembered = try context.settings.integer("REMEMBERED_ANSWERS", in: 1...1_000_000, default: RecentAnswers.usualCount)
        let maker = DecisionMaker(.agentGateway, log: context.log, clock: context.clock, logger: context.logger) {
            GatewayState(remembering: remembered)
        }
        let known = KnownAnswers(maker: maker, log: context.log)
        let contents = try InferenceContents(context)
        let settings = try BackendSettings(context.settings)
        let backend = RoutedBackend(
            settings, carriers: try Carriers(context, settings.sites), options: RouterOptions(), logger: context.logger,
            metrics: context.metrics)
        let evidence = try context.openEvidence()
        let retrieval = try Self.retrieval(context, settings, backend, maker, evidence)
        let limits = LimitDesk()
        let solvent = SolventPayers()
        let underWay = AnswersUnderWay()
        let named = NamedAnswers(
            NamedAnswerStore(pool: PostgresPool(context.database, size: 4)), logger: context.logger)
        let lag = AttributionLag(
            maker, limit: try context.settings.integer("ATTRIBUTION_LAG", in: 0...1_000_000_000, default: 100_000))
        @Sendable func answerDesk(_ spending: SpendingDesk) -> AnswerDesk {
            AnswerDesk(
                maker: maker, known: known, peers: context.peers, backend: backend, retrieval: retrieval, limits: limits,
                aliases: settings.aliases,
                contents: contents,
                evidence: evidence, spending: spending, solvent: solvent, lag: lag,
                holds: HoldDesk(peers: context.peers, logger: context.logger), longest: settings.longest, clock: context.clock,
                logger: context.logger, underWay: underWay, named: named)
        }
        let allowsPlain = try context.settings.boolean("WEBHOOKS_PLAIN", default: false)
        let economy = try Economy.open(context) { spending in
            let desk = answerDesk(spending)
            return { try await desk.answer($0) }
        }
        let desk = answerDesk(economy.spending)
        let shelf = try FileShelf(context, keys: contents.keys)
        let fineTuning = try FineTuningDesk(context, shelf: shelf, maker: maker)
        let chat = ChatRoutes(maker: maker, desk: desk)
        var shown = PrincipalRoutes(maker: maker, clock: context.clock).routes
        shown += KeyRoutes(maker: maker, signer: context.signer, clock: context.clock).routes
        shown +=
            OAuthRoutes(
                maker: maker, signer: context.signer, address: PublicAddress(context.settings),
                used: UsedAssertions(pool: PostgresPool(context.database, size: 2))
            ).routes
        shown += InferenceRoutes(maker: maker, known: known, contents: contents, clock: context.clock).routes
        var routes = shown.reading(ReadWait(state: maker))
        routes += chat.routes
        routes += EmbeddingRoutes(chat: chat).routes
        routes += FileRoutes(shelf: shelf, clock: context.clock).routes
        routes += FineTuningRoutes(desk: fineTuning, shelf: shelf, maker: maker, clock: context.clock).routes
        routes += BackendRoutes(desk: backend.desk).routes
        routes += economy.routes
        return AgentGatewayService(
            mount: Mount(
                service.rawValue, routes: routes, checks: [maker.readiness] + economy.checks,
                // Clients of OpenAI's API come here with all that it has.
                otherwise: ["v1": .openAI]),
            apiKeys: GatewayKeyStore(
                maker: maker,
                bots: BotDirectories(transport: try WebhookSender.transport(allowsPlain: allowsPlain), allowsPlain: allowsPlain)),
            maker: maker, economy: economy, fineTuning: fineTuning, contents: contents,
            underWay: underWay, named: named, logger: context.logger, similar: retrieval.similar, clock: context.clock)
    }

    private static func retrieval(
        _ context: ServiceContext, _ backends: BackendSettings, _ backend: RoutedBackend, _ maker: DecisionMaker<GatewayState>,
        _ evidence: EvidenceStore
    ) throws -> Retrieval {
        let settings = try RetrievalSettings(context.settings, sites: backends.sites)
        let similar = settings.model.map { model in
            SimilarPassages(
                context, embedder: Embedder(backend: backend, model: model), settings: settings, maker: maker, evidence: evidence)
        }
        return Retrieval(peers: context.peers, similar: similar)
    }

    /// The economy's.
    public static func readModels(_ context: ServiceContext) throws -> [ReadModel] { Economy.readModels(context) }

    /// How long answers may go on when the gateway is to stop, and then how long it is waited until all are on the log.
    private static let lastWords = Duration.seconds(5)
    private static let lastRecords = Duration.seconds(10)

    /// Ends the answers that are being given, as ones that reached their limit of tokens, and waits until they are on the log.
    public func finish() async {
        let left = await underWay.stop(patience: Self.lastWords, recording: Self.lastRecords)
        if left > 0 { logger.error("the gateway stops before all answers are on the log", ["answers": .integer(Int64(left))]) }
    }

    /// Follows the log until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await maker.run() }
            group.addTask { await RecoveryKeeper(maker: maker, logger: logger).run() }
            group.addTask { await economy.run() }
            group.addTask { await fineTuning.run() }
            group.addTask { await contents.forgetInTime(clock) }
            group.addTask { await named.run() }
            if let similar { group.addTask { await similar.run() } }
            await group.waitForAll()
        }
    }
}
