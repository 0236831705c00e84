public import Decisions
internal import EVM
public import Events
internal import JSON
internal import Money

/// What must be remembered to decide about agents' money and work: who belongs to whom, the trees of mandates, what is offered, and which
/// tasks run.
public struct EconomyState: ServiceState {
    /// Principals by id.
    public internal(set) var parties: [String: Party] = [:]
    /// Mandates by id.
    public internal(set) var mandates: [String: Mandate] = [:]
    /// The mandates that an agent was given, oldest first.
    public internal(set) var mandatesOfAgent: [String: [String]] = [:]
    /// Payments that were authorised and are neither settled nor free.
    public internal(set) var authorizations: [String: Authorization] = [:]
    /// Requests for a human's word, until they are used.
    public internal(set) var approvals: [String: Approval] = [:]
    /// What is offered.
    public internal(set) var services: [String: ServiceListed] = [:]
    /// Tasks by id.
    public internal(set) var tasks: [String: AgentTask] = [:]
    /// Tasks that have not ended.
    public internal(set) var openTasks: Set<String> = []
    /// First tasks of trees that a revoked mandate has stopped: they have to be ended.
    public internal(set) var stoppedTasks: Set<String> = []
    /// Tasks by the authorisation that pays them, while they run.
    var authorizedTasks: [String: String] = [:]
    /// Owners of the models that were published.
    var modelOwners: [String: String] = [:]
    /// Datanets that there are.
    var datanets: Set<String> = []
    /// Settlements of tasks, in the log's order: what reputations are made of.
    public internal(set) var settledTasks: [SettledTask] = []
    /// Where each settlement of a task stands in ``settledTasks``.
    var settledPlaces: [String: Int] = [:]
    /// Stages that are due and not settled yet, by billing's reference.
    var completions: [String: Completion] = [:]
    /// What houses paid each other, by the asset, who paid and who was paid: for work, signed or not, and by signed payments.
    var flows: [Asset: [String: [String: Flow]]] = [:]
    /// How often anything changed that names are made of: while it is the same, so is every name.
    public internal(set) var nameChanges = 0
    /// Open holds of billing's, by the authorisation or task that they were placed for, and the other way round.
    var holds: [String: String] = [:]
    var holdReferences: [String: String] = [:]
    /// Whose an address is: what its key signs is their word for a payment.
    public internal(set) var wallets: [String: String] = [:]
    /// Whom an address of this house's own network pays.
    public internal(set) var payees: [String: String] = [:]
    /// Signed payments by id.
    public internal(set) var payments: [String: Payment] = [:]
    /// Those whose outcome is not known.
    public internal(set) var openPayments: Set<String> = []
    /// Payments that a mandate which ended has stopped, before what they buy was there, with that mandate: they have to be ended.
    public internal(set) var stoppedPayments: [String: String] = [:]
    /// Payments by the authorisation that they count by, while their outcome is not known.
    var authorizedPayments: [String: String] = [:]
    /// Payments by what was signed, and by their payers' names for them.
    var paymentsByKey: [String: String] = [:]
    var paymentsByName: [String: String] = [:]
    /// Billing's transfers for payments that are not settled yet.
    var paymentTransfers: [String: PaymentTransfer] = [:]
    /// The greatest time of the events that were folded: what periods are shown by.
    public private(set) var lastTime = Timestamp(microseconds: 0)
    /// Authorisations that ended with their mandate: their holds must be set free.
    var stopped: Set<String> = []

    /// Nothing yet.
    public init() {}

    /// A principal as far as the economy cares.
    public struct Party: Sendable, Hashable {
        /// `person`, `organisation` or `agent`.
        public let kind: String
        /// For an agent, whom it belongs to.
        public let owner: String?
        /// Its keys, did:key.
        public internal(set) var keys: [String]
        /// For how many days it has its texts kept, where it has chosen.
        public internal(set) var retentionDays: Int?
        /// Whether it has proven a claim of who it is.
        public internal(set) var isVerified = false
    }

    /// Who stands behind a principal: its owner, or itself.
    public func house(of principal: String) -> String { parties[principal]?.owner ?? principal }

    /// Holds that nothing may be taken from any more, to be set free.
    public var holdsToFree: [(authorization: String, hold: String)] {
        stopped.compactMap { authorization in holds[authorization].map { (authorization: authorization, hold: $0) } }
            .sorted { $0.authorization < $1.authorization }
    }

    /// Whether there are any.
    public var hasHoldsToFree: Bool { stopped.contains { holds[$0] != nil } }

    private static let types: Set<String> = [
        PrincipalRegistered.type, KeyRotated.type, MandateGranted.type, MandateRevoked.type, MandateAuthorized.type, MandateSettled.type,
        MandateFreed.type, ApprovalRequested.type, ApprovalDecided.type, ServiceListed.type, ServiceWithdrawn.type, TaskOpened.type,
        TaskFunded.type, TaskSubmitted.type, TaskAccepted.type, TaskCompleted.type, TaskRejected.type, TaskExpired.type,
        ModelPublished.type,
        DatanetCreated.type, HoldPlaced.type, HoldCaptured.type, HoldReleased.type, SettlementPosted.type, RefundPosted.type,
        DisputeResolved.type, PrincipalConfigured.type, InferenceCompleted.type, WalletLinked.type, WalletUnlinked.type, PaymentOpened.type,
        PaymentDelivered.type, PaymentSent.type,
        PaymentSettled.type,
        PaymentFailed.type, JournalPosted.type,
    ]

    /// The types that it folds.
    public static func concerns(_ type: String) -> Bool { types.contains(type) }

    /// Folds one event.
    public mutating func apply(_ fact: Fact) throws {
        let data = try fact.data.object()
        lastTime = max(lastTime, fact.time)
        switch fact.type {
        case PrincipalRegistered.type:
            let registered = try PrincipalRegistered(data)
            parties[registered.principal] = Party(kind: registered.kind, owner: registered.owner, keys: [registered.key])
            payees[Self.payee(registered.principal).description] = registered.principal
        case KeyRotated.type:
            let change = try KeyRotated(data)
            if let removed = change.removed { parties[change.principal]?.keys.removeAll { $0 == removed } }
            if let added = change.added { parties[change.principal]?.keys.append(added) }
            if change.verified != nil {
                parties[change.principal]?.isVerified = true
                nameChanges += 1
            }
        case PrincipalConfigured.type:
            let chosen = try PrincipalConfigured(data)
            parties[chosen.principal]?.retentionDays = chosen.retentionDays
        // What it came to is beside it; the audit compares both.
        case InferenceCompleted.type: break
        case MandateGranted.type: try apply(MandateGranted(data))
        case MandateRevoked.type: try apply(MandateRevoked(data))
        case MandateAuthorized.type: try apply(MandateAuthorized(data))
        case MandateSettled.type:
            let settled = try MandateSettled(data)
            try end(settled.authorization, spent: settled.amount.units)
        case MandateFreed.type:
            let freed = try MandateFreed(data)
            // A hold that was placed for a task which then got no money is set free with it.
            if freed.reason == "expired", authorizations[freed.authorization]?.data.purpose == "task" {
                stopped.insert(freed.authorization)
            }
            try end(freed.authorization, spent: 0)
        case ApprovalRequested.type:
            let request = try ApprovalRequested(data)
            approvals[request.approval] = Approval(request: request)
        case ApprovalDecided.type:
            let decided = try ApprovalDecided(data)
            if decided.granted { approvals[decided.approval]?.granted = decided } else { approvals[decided.approval] = nil }
        case ServiceListed.type:
            let listed = try ServiceListed(data)
            services[listed.service] = listed
        case ServiceWithdrawn.type: services[try ServiceWithdrawn(data).service] = nil
        case ModelPublished.type:
            let model = try ModelPublished(data)
            modelOwners[model.model] = model.owner
        case DatanetCreated.type: datanets.insert(try DatanetCreated(data).datanet)
        case TaskOpened.type: try apply(TaskOpened(data))
        case TaskFunded.type: try apply(TaskFunded(data))
        case TaskSubmitted.type: try apply(TaskSubmitted(data))
        case TaskAccepted.type: try apply(TaskAccepted(data))
        case TaskCompleted.type: try apply(TaskCompleted(data))
        case TaskRejected.type: try apply(TaskRejected(data))
        case TaskExpired.type: try apply(TaskExpired(data))
        case WalletLinked.type: try apply(WalletLinked(data))
        case WalletUnlinked.type: wallets[try WalletUnlinked(data).address] = nil
        case PaymentOpened.type: try apply(PaymentOpened(data))
        case PaymentDelivered.type: try apply(PaymentDelivered(data))
        case PaymentSent.type: apply(try PaymentSent(data))
        case PaymentSettled.type: try apply(PaymentSettled(data))
        case PaymentFailed.type: try apply(PaymentFailed(data))
        default: try learn(fact.type, data, at: fact.position)
        }
    }

    /// What billing says.
    private mutating func learn(_ type: String, _ data: JSONFields, at position: UInt64?) throws {
        switch type {
        case HoldPlaced.type:
            let hold = try HoldPlaced(data)
            guard let reference = hold.reference else { return }
            holds[reference] = hold.id
            holdReferences[hold.id] = reference
        case HoldCaptured.type:
            let captured = try HoldCaptured(data)
            if !captured.released.isZero { forget(hold: captured.id) }
        case HoldReleased.type: forget(hold: try HoldReleased(data).id)
        case JournalPosted.type: learn(try JournalPosted(data), at: position)
        case SettlementPosted.type: if let position { try settle(SettlementPosted(data), at: position) }
        case RefundPosted.type:
            let refund = try RefundPosted(data)
            if let position { try giveBack(refund.settlement, refund.amount, at: position) }
        default:
            let resolved = try DisputeResolved(data)
            if let position, !resolved.refund.isZero { try giveBack(resolved.settlement, resolved.refund, at: position) }
        }
    }

    mutating func forget(hold: String) {
        guard let reference = holdReferences.removeValue(forKey: hold) else { return }
        holds[reference] = nil
        stopped.remove(reference)
    }
}
