internal import AgentGatewayDomain
internal import Blobs
internal import Decisions
public import Events
public import Identity
public import ServiceShell
public import Web

/// The door for people, apps and agents: who they are, what they may ask, what it costs, and what was answered.
public struct AgentGatewayService: RunnableService {
    /// It is the agent gateway.
    public static let service = Service.agentGateway

    /// Attribution reads what was answered.
    public static let grants: [String: Set<String>] = [
        Service.attribution.rawValue: ["inferences:content"], Service.billing.rawValue: ["principals:read"],
        Service.ingest.rawValue: ["principals:read"], Service.datanet.rawValue: ["principals:read"],
    ]

    /// Its routes, and when it is ready.
    public let mount: Mount
    /// The API keys that principals were given.
    public let apiKeys: (any APIKeyStore)?
    private let maker: DecisionMaker<GatewayState>

    /// Wires it.
    public static func open(_ context: ServiceContext) async throws -> AgentGatewayService {
        let maker = DecisionMaker(.agentGateway, log: context.log, clock: context.clock, logger: context.logger) { GatewayState() }
        let contents = try InferenceContents(context)
        let backend = OpenAIBackend(try BackendSettings(context.settings), peers: context.peers)
        let desk = AnswerDesk(
            maker: maker, peers: context.peers, backend: backend, contents: contents, evidence: try context.openEvidence(),
            clock: context.clock,
            logger: context.logger)
        let routes =
            PrincipalRoutes(maker: maker, clock: context.clock).routes
            + KeyRoutes(maker: maker, signer: context.signer, clock: context.clock).routes
            + ChatRoutes(maker: maker, desk: desk).routes + InferenceRoutes(maker: maker, contents: contents).routes
        return AgentGatewayService(
            mount: Mount(service.rawValue, routes: routes, checks: [maker.readiness]), apiKeys: GatewayKeyStore(maker: maker), maker: maker)
    }

    /// Follows the log until the task is cancelled.
    public func run() async { await maker.run() }
}
