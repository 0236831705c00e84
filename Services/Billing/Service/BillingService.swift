internal import BillingDomain
internal import Blobs
internal import Crypto
internal import Decisions
public import Events
internal import HTTPSignatures
internal import Identity
internal import Postgres
internal import Projections
public import ServiceShell
internal import Telemetry
public import Web
internal import Webhooks

/// Payable AI: takes the fee of every answer and training, shares it out among those who earned it, and pays them.
public struct BillingService: RunnableService {
    /// It is billing.
    public static let service = Service.billing

    /// The gateway and training hold and capture; the gateway says who is verified.
    public static let grants: [String: Set<String>] = [
        Service.agentGateway.rawValue: [
            "billing:read", "billing:hold", "billing:deposit", "billing:verify", "billing:refund", "billing:pay",
        ],
        Service.training.rawValue: ["billing:read", "billing:hold"],
        Service.datanet.rawValue: ["billing:read", "billing:hold"],
        Service.attribution.rawValue: ["billing:read"],
    ]

    /// Its routes, and when it is ready.
    public let mount: Mount
    private let desk: BillingDesk
    private let projections: [ProjectionRunner]
    private let sender: WebhookSender
    private let pool: PostgresPool

    /// Wires it.
    public static func open(_ context: ServiceContext) async throws -> BillingService {
        let store = try context.openEvidence()
        let desk = BillingDesk(context.log, store: store, clock: context.clock, logger: context.logger)
        let models = ReadModels(context, store)
        let projection = try follow(models.journal, context)
        let bills = try follow(models.bills, context)
        let notices = try follow(models.notices, context)
        let milestones = try follow(models.milestones, context)
        let pool = PostgresPool(context.database, size: 4)
        pool.addMetrics(to: context.metrics, pool: service.rawValue)
        let reader = JournalReader(pool: pool)
        let commands = BillingCommands(desk: desk)
        let accounts = AccountRoutes(
            commands: commands, reader: reader, hasSandbox: try context.settings.boolean("SANDBOX", default: true)
        ) { projection.status.next }
        let statements = StatementRoutes(
            commands: commands, reader: reader, shares: ShareReader(pool: pool), bills: BillsReader(pool: pool),
            items: EarnedItems(log: context.log, store: store),
            clock: context.clock)
        let secrets = try WebhookSecrets.open(context.folder)
        let webhooks = WebhookStore(pool: pool)
        let queue = WebhookQueue(pool: pool, schema: "billing")
        let allowsPlain = try context.settings.boolean("WEBHOOKS_PLAIN", default: false)
        let signer = try MessageSigner.webhooks(context)
        let webhookRoutes = WebhookRoutes(
            store: webhooks, queue: queue, secrets: secrets, allowsPlain: allowsPlain, signer: signer
        ) { await desk.maker.next }
        let receipts = ReceiptRoutes(
            log: context.log, store: store, milestones: MilestoneReader(pool: pool), journal: reader,
            proofs: ReceiptProofs(peers: context.peers)
        ) { position in
            for rows in [milestones, projection] { try await rows.waitUntilApplied(position, timeout: .seconds(10)) }
        }
        let epochs = EpochRoutes(
            commands: commands, reader: reader, milestones: MilestoneReader(pool: pool), log: context.log,
            proofs: ReceiptProofs(peers: context.peers))
        let shown = accounts.routes + statements.routes + epochs.routes
        var routes = shown.reading(ReadWait(state: desk.maker, rows: [projection, bills, milestones]))
        routes += HoldRoutes(commands: commands).routes + SettlementRoutes(commands: commands).routes
        routes += WalletRoutes(commands: commands).routes + BudgetRoutes(commands: commands, clock: context.clock).routes
        routes += PaymentRoutes(commands: commands).routes + webhookRoutes.routes + receipts.routes
        let checks = [
            desk.maker.readiness, ReadinessCheck("journal") { projection.status.notReady.map { .notReady($0) } ?? .ready },
            ReadinessCheck("milestones") { milestones.status.notReady.map { .notReady($0) } ?? .ready },
            ReadinessCheck("bills") { bills.status.notReady.map { .notReady($0) } ?? .ready },
            ReadinessCheck("reactions") { await desk.trouble.map { .notReady($0) } ?? .ready },
        ]
        return BillingService(
            mount: Mount(service.rawValue, routes: routes, checks: checks), desk: desk,
            projections: [projection, milestones, bills, notices],
            sender: WebhookSender(
                queue: queue, secrets: secrets, signer: signer, transport: try WebhookSender.transport(allowsPlain: allowsPlain),
                clock: context.clock, logger: context.logger),
            pool: pool)
    }

    /// Journal, milestones and bills. Notices have no rows of their own: what was sent was sent.
    public static func readModels(_ context: ServiceContext) throws -> [ReadModel] {
        let models = ReadModels(context, try context.openEvidence())
        return [models.journal, models.milestones, models.bills]
    }

    private static func follow(_ model: ReadModel, _ context: ServiceContext) throws -> ProjectionRunner {
        try ProjectionRunner(
            model.projection, carrier: LedgerCarrier(model.log), client: model.log, database: context.database, logger: context.logger,
            metrics: context.metrics)
    }

    /// Each with a shelf of its own for the long lists that its events name.
    private struct ReadModels {
        let journal: ReadModel
        let milestones: ReadModel
        let bills: ReadModel
        let notices: ReadModel

        init(_ context: ServiceContext, _ store: EvidenceStore) {
            func model(_ make: (@escaping @Sendable (Digest) -> [UInt8]?) -> any Projection) -> ReadModel {
                let shelf = EvidenceShelf()
                return ReadModel(make { shelf.bytes($0) }, log: EvidenceLog(log: context.log, store: store, shelf: shelf))
            }
            journal = model { JournalProjection(evidence: $0) }
            milestones = ReadModel(MilestoneProjection(), log: context.log)
            bills = model { BillsProjection(evidence: $0) }
            notices = model { WebhookProjection(evidence: $0) }
        }
    }

    /// Follows the log, reacts, does what is due and keeps the read models, until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await desk.run() }
            for projection in projections { group.addTask { await projection.run() } }
            group.addTask { await sender.run() }
            await group.waitForAll()
        }
        await pool.close()
    }
}
