internal import AgentEconomyDomain
internal import Decisions
internal import Events
internal import HTTP
internal import HTTPSignatures
internal import JSON
internal import Postgres
internal import Projections
internal import ServiceShell
internal import Telemetry
internal import Web
internal import Webhooks

/// Tells principals what happens to their tasks, wherever they want to hear of it.
struct TaskWebhookDesk: Sendable {
    let store: TaskWebhookStore
    let queue: WebhookQueue
    let secrets: WebhookSecrets
    let signer: MessageSigner
    let allowsPlain: Bool
    private let maker: DecisionMaker<EconomyState>
    /// The rows that it keeps of what happens to tasks.
    let notices: ProjectionRunner
    private let sender: WebhookSender
    private let pool: PostgresPool

    init(_ context: ServiceContext, _ maker: DecisionMaker<EconomyState>) throws {
        pool = PostgresPool(context.database, size: 4)
        pool.addMetrics(to: context.metrics, pool: context.service.rawValue)
        store = TaskWebhookStore(pool: pool)
        queue = WebhookQueue(pool: pool, schema: "agent_gateway")
        secrets = try WebhookSecrets.open(context.folder)
        signer = try MessageSigner.webhooks(context)
        allowsPlain = try context.settings.boolean("WEBHOOKS_PLAIN", default: false)
        self.maker = maker
        notices = try ProjectionRunner(
            TaskNoticeProjection(), carrier: LedgerCarrier(context.log), client: context.log, database: context.database,
            logger: context.logger, metrics: context.metrics)
        sender = WebhookSender(
            queue: queue, secrets: secrets, signer: signer, transport: try WebhookSender.transport(allowsPlain: allowsPlain),
            clock: context.clock, logger: context.logger
        ) { [store, secrets] delivery in
            guard let webhook = try await store.webhook(delivery.webhook), let sealed = webhook.sealed else { return [] }
            return try PushReceiver(JSON.parse(try secrets.open(sealed, of: webhook.id))).fields
        }
    }

    /// Whether it follows the log.
    var check: ReadinessCheck { ReadinessCheck("webhooks") { [notices] in notices.status.notReady.map { .notReady($0) } ?? .ready } }

    /// Everything before this position is over.
    var next: UInt64 { get async { await maker.next } }

    /// Throws unless a webhook may go there, and its owner may have one more.
    func check(_ url: String, of owner: String, field: String) async throws {
        if let refusal = WebhookAddress.refusal(url, allowsPlain: allowsPlain) {
            throw Problem(.unprocessable, "\(field) \(refusal)", field: "#/\(field)")
        }
        guard try await store.webhooks(of: owner).count < TaskWebhookStore.most else {
            throw Problem(EconomyProblems.state, "\(owner) has \(TaskWebhookStore.most) webhooks: end one first")
        }
    }

    /// Follows the log and sends, until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [notices] in await notices.run() }
            group.addTask { [sender] in await sender.run() }
            await group.waitForAll()
        }
        await pool.close()
    }
}

/// What the receiver of A2A's push notifications wants to see in them.
struct PushReceiver: Sendable {
    var token: String?
    var scheme: String?
    var credentials: String?

    init(token: String?, scheme: String?, credentials: String?) {
        self.token = token
        self.scheme = scheme
        self.credentials = credentials
    }

    init(_ json: JSONValue) {
        token = json["token"]?.stringValue
        scheme = json["scheme"]?.stringValue
        credentials = json["credentials"]?.stringValue
    }

    var json: JSONValue {
        .members([
            "token": token.map { .string($0) }, "scheme": scheme.map { .string($0) }, "credentials": credentials.map { .string($0) },
        ])
    }

    /// As they stand in a request.
    var fields: [Header] {
        var fields: [Header] = []
        if let token { fields.append(Header("X-A2A-Notification-Token", token)) }
        if let scheme, let credentials { fields.append(Header("Authorization", "\(scheme) \(credentials)")) }
        return fields
    }
}
