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
        let brief: String
        /// From now to the deadline; the service's own time when nil.
        var seconds: Int64?
        var evaluator: String?
        var mandate: String?
        var approval: String?
        /// What was agreed to; the service's price when nil.
        var amount: Amount?
    }

    /// - Parameters:
    ///   - key: the caller's own name for the command, which makes it safe to repeat.
    ///   - body: what the command is, to tell another one under that name.
    func hire(_ wish: Wish, caller: Caller, key: IdempotencyKey, body: JSONValue, correlation: String) async throws -> (
        task: TaskOpened, funding: TaskFunded
    ) {
        guard let entry = try await directory.entry(wish.service) else { throw EconomyError.notFound("service \(wish.service)") }
        let command = CommandIdentity(caller: caller, key: key, body: SHA256.hash(try JSON.canonical(body)))
        let ask = TaskDesk.Ask(caller: caller.subject, command: command, correlation: correlation)
        // A deadline by the clock would differ in a repeat: the first decision's stands, for ever.
        let seconds = wish.seconds ?? Int64(entry.listed.seconds)
        let now = try await maker.query { $0.lastTime }
        let deadline = Timestamp(microseconds: now.microseconds + seconds * 1_000_000)
        let offer = TaskDesk.Wish(brief: wish.brief) { brief in
            TaskRules.Wish(
                provider: entry.listed.provider, evaluator: wish.evaluator, service: wish.service, brief: brief,
                amount: wish.amount ?? entry.listed.price,
                deadline: deadline)
        }
        let opened = try await tasks.open(offer, ask)
        return (opened, try await tasks.fund(opened.task, opened.amount, mandate: wish.mandate, approval: wish.approval, ask))
    }
}
