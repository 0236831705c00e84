internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import Identity
internal import JSON
internal import Money
internal import Web

/// Hires a service in one step: a task at its price, opened and funded. What MCP and A2A do when an agent says so.
struct Hiring: Sendable {
    let maker: DecisionMaker<EconomyState>
    let directory: ServiceDirectory
    let tasks: TaskDesk

    /// What is wanted.
    struct Wish: Sendable {
        let service: String
        var brief: String
        /// From now to the deadline; the service's own time when nil.
        var seconds: Int64?
        var evaluator: String?
        var mandate: String?
        var approval: String?
        /// What was agreed to; the service's price when nil.
        var amount: Amount?
        /// The most units that the price may be: a guard against one that has risen unseen.
        var most: Int128?
    }

    /// - Parameters:
    ///   - key: the caller's own name for the command, which makes it safe to repeat.
    ///   - body: what the command is, to tell another one under that name.
    func hire(_ wish: Wish, caller: Caller, key: IdempotencyKey, body: JSONValue, correlation: String) async throws -> (
        task: TaskOpened, funding: TaskFunded
    ) {
        let command = CommandIdentity(caller: caller, key: key, body: SHA256.hash(try JSON.canonical(body)))
        let ask = TaskDesk.Ask(caller: caller.subject, command: command, correlation: correlation)
        guard let entry = try await directory.entry(wish.service) else {
            // It is offered no more: what was hired by this command before is told again, and nothing new is hired.
            let known = try await maker.decide(
                .command(id: command.id, digest: command.digest), actor: caller.subject, correlation: correlation
            ) { _, _ in throw EconomyError.notFound("service \(wish.service)") }
            return try await funded(try known.first(TaskOpened.self), wish, ask)
        }
        // A deadline by the clock would differ in a repeat: the first decision's stands, for ever.
        let seconds = wish.seconds ?? Int64(entry.listed.seconds)
        let now = try await maker.query { $0.lastTime }
        let deadline = Timestamp(microseconds: now.microseconds + seconds * 1_000_000)
        let offer = TaskDesk.Wish(brief: wish.brief) { brief in
            TaskRules.Wish(
                provider: entry.listed.provider, evaluator: wish.evaluator, service: wish.service, brief: brief,
                amount: wish.amount ?? Self.price(entry.listed.price, atMost: wish.most), deadline: deadline)
        }
        return try await funded(try await tasks.open(offer, ask), wish, ask)
    }

    /// The price, or the most that it may be where that is less: which is refused for this service, by name, unless the command was
    /// decided before.
    private static func price(_ price: Amount, atMost most: Int128?) -> Amount {
        most.map { Amount(min($0, price.units), price.asset) } ?? price
    }

    private func funded(_ opened: TaskOpened, _ wish: Wish, _ ask: TaskDesk.Ask) async throws -> (task: TaskOpened, funding: TaskFunded) {
        (opened, try await tasks.fund(opened.task, opened.amount, mandate: wish.mandate, approval: wish.approval, ask))
    }
}
