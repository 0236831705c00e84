internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import JSON
internal import Money
internal import ServiceShell
internal import Telemetry
internal import Web

/// Opens and funds tasks. Every step is a command of its own, named by the caller's, so what a crash left half done is finished by the same
/// call again; and a hold that no task got runs out by itself.
struct TaskDesk: Sendable {
    let maker: DecisionMaker<EconomyState>
    let peers: Peers
    let writings: EconomyWritings
    let spending: SpendingDesk
    let logger: Logger

    /// Who asks, under which command.
    struct Ask: Sendable {
        let caller: String
        let command: CommandIdentity
        let correlation: String

        func cause(_ step: String) -> Cause { .command(id: command.id + "/" + step, digest: command.digest) }
    }

    /// What a client asks for.
    struct Wish: Sendable {
        let brief: String
        let make: @Sendable (Digest) -> TaskRules.Wish
    }

    /// Opens a task: the brief is sealed, its commitment goes into the event.
    func open(_ wish: Wish, _ ask: Ask) async throws -> TaskOpened {
        guard wish.brief.utf8.count <= EconomyWritings.largest else {
            throw EconomyError.invalid(field: "brief", reason: "must have at most \(EconomyWritings.largest) bytes")
        }
        let brief = try await writings.put(Array(wish.brief.utf8), by: ask.caller, as: "brief:" + ask.command.id)
        let outcome = try await maker.decide(
            .command(id: ask.command.id, digest: ask.command.digest), actor: ask.caller, correlation: ask.correlation,
            TaskRules.open(wish.make(brief)))
        return try outcome.first(TaskOpened.self)
    }

    /// Funds a task: from the escrow of the task above it, or by a hold on the payer's balance, under a mandate where the client has one.
    func fund(_ id: String, _ amount: Amount, mandate: String?, approval: String?, _ ask: Ask) async throws -> TaskFunded {
        let known = try await maker.find { $0.tasks[id] }
        guard let known else { throw EconomyError.notFound("task \(id)") }
        if known.data.parent != nil {
            return try await decide(ask, TaskRules.fundFromAbove(id, amount))
        }
        // A task is funded once. The same command gets its first answer, whatever has become of the mandate since, and any other the refusal.
        if known.phase != .open {
            return try await decide(ask) { state, context in
                _ = try TaskRules.mayFund(state, id, amount, by: context.actor, at: context.logTime)
                return []
            }
        }
        let purse = try await spending.purse(of: ask.caller, mandate: mandate, approval: approval)
        let payer = purse?.payer ?? ask.caller
        if purse == nil, let owner = try await maker.query({ $0.parties[ask.caller]?.owner }) {
            throw EconomyError.forbidden(
                "\(ask.caller) has no mandate of \(owner)'s to hire with: its owner grants one by POST /v1/mandates")
        }
        let now = try await maker.query { $0.lastTime }
        _ = try await maker.query { try TaskRules.mayFund($0, id, amount, by: ask.caller, payer: payer, at: now) }
        var grant: SpendingDesk.Grant?
        if let purse {
            let payment = Spending(
                amount, purpose: "task", payee: known.data.provider, service: known.data.service, task: id,
                approval: purse.approval)
            grant = try await spending.authorize(
                payment, purse: purse, cause: ask.cause("authorize"), caller: ask.caller, correlation: ask.correlation,
                seconds: TaskRules.funding)
        }
        let hold: String
        do { hold = try await placeHold(known, amount, payer: payer, reference: grant?.authorization, ask) } catch {
            // Whether there is a hold is not known when billing can't be heard: the same command again finds out.
            if Self.isRefusal(error) { await free(grant, ask) }
            throw error
        }
        do {
            return try await decide(
                ask, TaskRules.fund(id, amount, payer: payer, hold: hold, authorization: grant?.authorization))
        } catch let error as EconomyError {
            await release(hold, ask)
            await free(grant, ask)
            throw error
        }
    }

    private static func isRefusal(_ error: any Error) -> Bool { (error as? Problem)?.type == EconomyProblems.noMoney }

    private func decide(_ ask: Ask, _ rule: @escaping DecisionMaker<EconomyState>.Rule) async throws -> TaskFunded {
        try await maker.decide(ask.cause("fund"), actor: ask.caller, correlation: ask.correlation, rule).first(TaskFunded.self)
    }

    private func placeHold(_ task: AgentTask, _ amount: Amount, payer: String, reference: String?, _ ask: Ask) async throws -> String {
        // Long enough for the longest deadline, so that a repeat of the command asks for the same.
        let seconds = TaskRules.longest + TaskRules.holding
        do {
            let placed = try await peers.call(
                "POST", .billing, "/v1/holds",
                json: .members([
                    "account": .string("payer:" + payer), "amount": amount.json, "seconds": .int(seconds),
                    "reference": reference.map { .string($0) },
                ]), key: TaskRules.holdKey(ask.command.id))
            guard let id = placed["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue else {
                throw Problem(.unavailable, "billing gave no hold; try again")
            }
            return id
        } catch let error as PeerError where error.status == 402 || error.status == 404 || error.status == 409 || error.status == 422 {
            throw Problem(EconomyProblems.noMoney, "the balance of \(payer) does not cover \(amount): \(error.detail). Deposit first")
        } catch let error as PeerError {
            throw Problem(.unavailable, "billing is not available (\(error)); try again", headers: ["Retry-After": "1"])
        }
    }

    private func release(_ hold: String, _ ask: Ask) async {
        do {
            _ = try await peers.call(
                "POST", .billing, "/v1/holds/\(hold)/release", json: .object(JSONObject()), key: ask.command.id + "-release")
        } catch { logger.warning("a hold could not be released; it runs out by itself: \(error)", ["hold": .string(hold)]) }
    }

    private func free(_ grant: SpendingDesk.Grant?, _ ask: Ask) async {
        guard let grant else { return }
        do { try await spending.free(grant, caller: ask.caller, correlation: ask.correlation) } catch {
            logger.warning("an authorisation could not be set free: \(error)", ["authorization": .string(grant.authorization)])
        }
    }
}
