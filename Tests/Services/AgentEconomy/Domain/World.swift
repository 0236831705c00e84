import AgentEconomyDomain
import Crypto
import Decisions
import Events
import JSON
import Money
import ServiceTestSupport

/// A state that is decided upon as the decider does: each rule's events are applied at once. People are `ann` and `bob`, agents `a0`, `a1`, …
struct World {
    var state = EconomyState()
    /// Log time in seconds.
    var now: Int64 = 1_000
    private var number = 0
    /// Every event that was decided, in order.
    private(set) var events: [NewEvent] = []

    static let usdc = try? Asset("USDC/6")

    init(agents: Int = 4) throws {
        for (id, kind, owner) in [("ann", "person", nil), ("bob", "person", nil)] as [(String, String, String?)] {
            try fold(PrincipalRegistered(principal: id, kind: kind, key: "did:\(id)", owner: owner))
        }
        for index in 0..<agents {
            try fold(PrincipalRegistered(principal: "a\(index)", kind: "agent", key: "did:a\(index)", owner: "ann"))
        }
        try fold(PrincipalRegistered(principal: "b0", kind: "agent", key: "did:b0", owner: "bob"))
    }

    static func amount(_ units: Int) throws -> Amount { Amount(Int128(units), try Asset("USDC/6")) }

    mutating func fold(_ data: some EventData) throws {
        number += 1
        try state.apply(Fact.made(data, number))
    }

    func time(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }

    /// Decides as somebody, and applies what was decided; throws what the rule throws.
    @discardableResult
    mutating func decide(_ actor: String, _ rule: DecisionMaker<EconomyState>.Rule) throws -> [NewEvent] {
        number += 1
        let context = DecisionContext(
            time: time(now), logTime: time(now), cause: .command(id: "c\(number)", digest: SHA256.hash(utf8: "c")), actor: actor)
        let decided = try rule(state, context)
        for event in decided { try apply(event) }
        events += decided
        return decided
    }

    private mutating func apply(_ event: NewEvent) throws {
        number += 1
        try state.apply(Fact.made(Raw.of(event), number))
    }

    /// The data of the first event of a type.
    static func first<Payload: EventData>(_ type: Payload.Type, _ events: [NewEvent]) throws -> Payload {
        guard let event = events.first(where: { $0.type == Payload.type }) else { throw Missing(type: Payload.type) }
        return try Payload(event.data.object())
    }

    struct Missing: Error { let type: String }

    // MARK: Shorthands

    func terms(
        _ budget: Int, period: String = "day", perPayment: Int? = nil, minimum: Int? = nil, approvalAbove: Int? = nil,
        payees: [String]? = nil, services: [String]? = nil, models: [String]? = nil, purposes: [String]? = nil, tasks: [String]? = nil,
        notBefore: Int64? = nil, recurrence: MandateRecurrence? = nil, expires: Int64 = 1_000_000,
        carved: Bool = false
    ) throws -> MandateTerms {
        MandateTerms(
            budget: try Self.amount(budget), period: period, perPayment: try perPayment.map(Self.amount),
            minimum: try minimum.map(Self.amount), approvalAbove: try approvalAbove.map(Self.amount), payees: payees, services: services,
            models: models, purposes: purposes, tasks: tasks, recurrence: recurrence, notBefore: notBefore.map(time),
            expires: time(expires), carved: carved)
    }

    mutating func grant(_ grantor: String, _ agent: String, parent: String? = nil, _ terms: MandateTerms) throws -> String {
        try Self.first(MandateGranted.self, decide(grantor, GrantRules.grant(.init(agent: agent, parent: parent, terms: terms)))).mandate
    }

    mutating func spend(
        _ agent: String, _ mandate: String, _ units: Int, payee: String? = nil, service: String? = nil, model: String? = "m",
        approval: String? = nil, seconds: Int64 = 900
    ) throws -> String {
        let spending = Spending(
            try Self.amount(units), purpose: "inference", payee: payee, service: service, model: model, approval: approval)
        let events = try decide(agent, SpendingRules.authorize(spending, under: mandate, seconds: seconds))
        return try Self.first(MandateAuthorized.self, events).authorization
    }
}

/// The data of an event that a rule made, whatever its type.
private enum Raw {
    static func of(_ event: NewEvent) throws -> any EventData {
        let data = try event.data.object()
        switch event.type {
        case MandateGranted.type: return try MandateGranted(data)
        case MandateRevoked.type: return try MandateRevoked(data)
        case MandateAuthorized.type: return try MandateAuthorized(data)
        case MandateSettled.type: return try MandateSettled(data)
        case MandateFreed.type: return try MandateFreed(data)
        case ApprovalRequested.type: return try ApprovalRequested(data)
        case ApprovalDecided.type: return try ApprovalDecided(data)
        case ServiceListed.type: return try ServiceListed(data)
        case ServiceWithdrawn.type: return try ServiceWithdrawn(data)
        case TaskOpened.type: return try TaskOpened(data)
        case TaskFunded.type: return try TaskFunded(data)
        case TaskSubmitted.type: return try TaskSubmitted(data)
        case PaymentSettled.type: return try PaymentSettled(data)
        case PaymentDelivered.type: return try PaymentDelivered(data)
        case PaymentFailed.type: return try PaymentFailed(data)
        case TaskAccepted.type: return try TaskAccepted(data)
        case TaskCompleted.type: return try TaskCompleted(data)
        case TaskRejected.type: return try TaskRejected(data)
        case TaskExpired.type: return try TaskExpired(data)
        default: throw World.Missing(type: event.type)
        }
    }
}
