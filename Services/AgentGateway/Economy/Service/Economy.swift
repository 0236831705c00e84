internal import AgentEconomyDomain
internal import Blobs
internal import Decisions
internal import Events
internal import HTTPClient
public import ServiceShell
public import Web

/// The agents' economy within the gateway: mandates, services, tasks, reputations, and the doors that agents know.
public struct Economy: Sendable {
    /// Its routes.
    public let routes: [Route]
    /// What must hold before it is ready.
    public let checks: [ReadinessCheck]
    /// Where agents' spending is allowed, or not.
    public let spending: SpendingDesk
    private let keeper: EconomyKeeper
    private let payments: PaymentDesk
    private let seller: SellerRoutes
    private let webhooks: TaskWebhookDesk

    /// Who has to do with which task.
    public static func readModels(_ context: ServiceContext) -> [ReadModel] { [ReadModel(TaskNoticeProjection(), log: context.log)] }

    /// Wires it.
    /// - Parameter asking: makes, of where spending is allowed, what asks a model in a caller's name, for the tool that does.
    public static func open(_ context: ServiceContext, asking: (SpendingDesk) -> AskModel) throws -> Economy {
        let maker = DecisionMaker(.agentGateway, log: context.log, clock: context.clock, logger: context.logger) { EconomyState() }
        let writings = try EconomyWritings(context)
        let spending = SpendingDesk(maker: maker)
        let tasks = TaskDesk(maker: maker, peers: context.peers, writings: writings, spending: spending, logger: context.logger)
        let directory = ServiceDirectory(maker: maker, writings: writings)
        let services = ServiceDesk(maker: maker, writings: writings)
        let hiring = Hiring(maker: maker, directory: directory, tasks: tasks)
        let ask = asking(spending)
        let names = ReputationDesk(maker)
        let tools = EconomyTools(
            maker: maker, peers: context.peers, directory: directory, names: names, hiring: hiring, asking: ask)
        let address = PublicAddress(context.settings)
        let payments = try paymentDesk(context, maker, writings)
        let webhooks = try TaskWebhookDesk(context, maker)
        let a2a = A2ADesk(maker: maker, directory: directory, hiring: hiring, asking: ask, pushes: A2APushes(desk: webhooks))
        var shown = MandateRoutes(maker: maker).routes + ApprovalRoutes(maker: maker).routes + WalletRoutes(maker: maker).routes
        shown += ServiceRoutes(maker: maker, desk: services, directory: directory).routes + TaskRoutes(maker: maker, desk: tasks).routes
        shown += AgentRoutes(maker: maker, directory: directory, names: names, address: address).routes
        shown += TaskWebhookRoutes(maker: maker, desk: webhooks, peers: context.peers).routes
        let seller = SellerRoutes(
            maker: maker, desk: payments, directory: directory, hiring: hiring, writings: writings, asking: ask, address: address)
        let routes =
            shown.reading(ReadWait(state: maker, rows: [webhooks.notices]))
            + MCPRoutes(
                maker: maker, tools: tools, offers: ServiceTools(directory: directory, hiring: hiring),
                receipts: ReceiptResources(peers: context.peers, signer: context.signer), address: address
            ).routes
            + A2ARoutes(desk: a2a, address: address).routes + A2ARestRoutes(desk: a2a).routes
            + FacilitatorRoutes(maker: maker, desk: payments, directory: directory, address: address).routes
            + seller.routes
        return Economy(
            routes: routes, checks: [ReadinessCheck("economy") { await maker.notReady.map { .notReady($0) } ?? .ready }, webhooks.check],
            spending: spending,
            keeper: EconomyKeeper(maker: maker, peers: context.peers, clock: context.clock, logger: context.logger), payments: payments,
            seller: seller, webhooks: webhooks)
    }

    private static func paymentDesk(
        _ context: ServiceContext, _ maker: DecisionMaker<EconomyState>, _ writings: EconomyWritings
    ) throws -> PaymentDesk {
        let networks = try PaymentNetworks(context.settings, folder: context.folder)
        let chain = try networks.token.map { token in
            ChainDesk(ChainNode(transport: try CurlTransport(), url: token.url), token, key: networks.key)
        }
        return PaymentDesk(
            maker: maker, peers: context.peers, networks: networks, writings: writings, chain: chain, clock: context.clock,
            logger: context.logger)
    }

    /// Follows the log, ends what is due, sets free what was stopped and finds out what came of payments, until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await keeper.run() }
            group.addTask { await payments.run { try await seller.hireFor($0) } }
            group.addTask { await webhooks.run() }
            await group.waitForAll()
        }
    }
}
