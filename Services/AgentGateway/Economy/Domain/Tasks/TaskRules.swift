public import Crypto
public import Decisions
public import Events
internal import Identity
public import Money

/// What is decided about work: who may offer, deliver, judge and end it, and what is paid to whom.
public enum TaskRules {
    /// Longest time from now to a deadline, in seconds: billing holds money for at most 30 days, and judging takes time.
    public static let longest: Int64 = 27 * 86_400
    /// How long what was delivered waits for its judgement, in seconds of log time after the deadline.
    public static let judging: Int64 = 86_400
    /// How long the hold outlives the deadline, in seconds.
    public static let holding: Int64 = 2 * 86_400
    /// How long the authorisation of a task's money runs until the task has it, in seconds.
    public static let funding: Int64 = 3_600
    /// Most stages.
    public static let maximumMilestones = 50
    /// Most artefacts of one stage.
    public static let maximumArtefacts = 64
    /// Most bytes of one artefact.
    public static let maximumBytes = 1 << 40
    /// Most tasks between a task and the first of its tree.
    public static let maximumDepth = 8
    /// Most tasks below one.
    public static let maximumChildren = 200
    /// Most stages of all tasks of a tree: so many fit into one append, and a whole tree ends in one.
    public static let maximumStages = 500

    /// What the decision to fund a task is called after its command's id.
    public static let fundingStep = "/fund"

    /// The key by which the gateway asks billing for the money of a task that a command funds.
    public static func holdKey(_ command: String) -> String { command + "-hold" }

    /// The hold that billing places by that key; nil for a cause that funds no task.
    static func hold(of cause: Cause) -> String? {
        guard cause.id.hasSuffix(fundingStep) else { return nil }
        let gateway = Service.agentGateway.rawValue
        let command = CommandID.make(
            issuer: gateway, subject: gateway, key: holdKey(String(cause.id.dropLast(fundingStep.count))))
        return EntityID.make("hd", cause: .command(id: command, digest: .zero))
    }

    /// What a client asks for.
    public struct Wish: Sendable {
        /// Who shall do it.
        public var provider: String
        /// Who judges it, where it is not the client.
        public var evaluator: String?
        /// The task whose escrow pays it.
        public var parent: String?
        /// The service that is hired.
        public var service: String?
        /// Commitment to what shall be done.
        public var brief: Digest
        /// What it pays.
        public var amount: Amount
        /// What each stage pays; one stage when there are none.
        public var milestones: [Amount]
        /// What of the pay goes on to others.
        public var split: [TaskShare]
        /// By when.
        public var deadline: Timestamp

        /// From its parts.
        public init(
            provider: String, evaluator: String? = nil, parent: String? = nil, service: String? = nil, brief: Digest, amount: Amount,
            milestones: [Amount] = [], split: [TaskShare] = [], deadline: Timestamp
        ) {
            self.provider = provider
            self.evaluator = evaluator
            self.parent = parent
            self.service = service
            self.brief = brief
            self.amount = amount
            self.milestones = milestones
            self.split = split
            self.deadline = deadline
        }
    }

    // MARK: Offering

    /// Offers money for work.
    public static func open(_ wish: Wish) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let client = context.actor
            try checkParties(state, wish, client)
            guard wish.amount.isPositive, wish.amount.units <= Int128(Int64.max) else {
                throw EconomyError.invalid(field: "amount", reason: "must be above zero and below 2^63")
            }
            let milestones = wish.milestones.isEmpty ? [wish.amount] : wish.milestones
            try checkMilestones(milestones, wish.amount)
            try checkSplit(state, wish)
            let latest = Timestamp(microseconds: context.logTime.microseconds + longest * 1_000_000)
            guard wish.deadline > context.logTime, wish.deadline <= latest else {
                throw EconomyError.invalid(field: "deadline", reason: "must lie after now, \(context.logTime), and by \(latest)")
            }
            if let service = wish.service {
                guard let listed = state.services[service] else { throw EconomyError.notFound("service \(service)") }
                guard listed.provider == wish.provider else {
                    throw EconomyError.invalid(field: "provider", reason: "must be \(listed.provider), who offers \(service)")
                }
                guard wish.amount.asset == listed.price.asset, wish.amount.units >= listed.price.units else {
                    throw EconomyError.invalid(field: "amount", reason: "must be at least \(listed.price), the price of \(service)")
                }
            }
            let id = context.newID("tk")
            var root = id
            if let parent = wish.parent {
                let above = try above(state, parent, wish, client)
                root = above.data.root
                try checkJudge(state, wish.evaluator ?? client, of: wish.provider, payer: above.payer)
            }
            guard milestones.count + (state.tasks[root]?.stages ?? 0) <= maximumStages else {
                throw EconomyError.wrongState("a tree of tasks has at most \(maximumStages) stages in all")
            }
            let opened = TaskOpened(
                task: id, root: root, parent: wish.parent, client: client, provider: wish.provider, evaluator: wish.evaluator,
                service: wish.service, brief: wish.brief, amount: wish.amount, milestones: milestones.map { TaskMilestone(amount: $0) },
                split: wish.split.sorted { ($0.kind, $0.id) < ($1.kind, $1.id) }, deadline: wish.deadline)
            return [NewEvent(opened, stream: try GrantRules.stream("task", root))]
        }
    }

    private static func checkParties(_ state: EconomyState, _ wish: Wish, _ client: String) throws(EconomyError) {
        guard state.parties[wish.provider] != nil else { throw .notFound("principal \(wish.provider)") }
        guard wish.provider != client else { throw .invalid(field: "provider", reason: "must be another one than the client") }
        guard let evaluator = wish.evaluator else { return }
        guard state.parties[evaluator] != nil else { throw .notFound("principal \(evaluator)") }
        guard state.house(of: evaluator) != state.house(of: wish.provider) else {
            throw .invalid(field: "evaluator", reason: "must not be the provider, its owner or another agent of that owner")
        }
    }

    /// Throws where a house would say of itself that others owe it money. With its own money it may do as it likes.
    static func checkJudge(
        _ state: EconomyState, _ judge: String, of provider: String, payer: String?
    ) throws(EconomyError) {
        let house = state.house(of: provider)
        guard state.house(of: judge) == house, payer.map({ state.house(of: $0) }) != house else { return }
        throw .invalid(
            field: "evaluator", reason: "must be named, and be of another house than \(provider), who is paid with somebody else's money")
    }

    private static func checkMilestones(_ milestones: [Amount], _ amount: Amount) throws(EconomyError) {
        guard milestones.count <= maximumMilestones else {
            throw .invalid(field: "milestones", reason: "must be at most \(maximumMilestones)")
        }
        for milestone in milestones where !milestone.isPositive || milestone.asset != amount.asset {
            throw .invalid(field: "milestones", reason: "must each be above zero and in \(amount.asset)")
        }
        let sum = try exactly { () throws(MoneyError) in try Amount.sum(milestones, of: amount.asset) }
        guard sum == amount else { throw .invalid(field: "milestones", reason: "add up to \(sum), the amount is \(amount)") }
    }

    private static func checkSplit(_ state: EconomyState, _ wish: Wish) throws(EconomyError) {
        guard wish.split.count <= 20, Set(wish.split.map { $0.kind + ":" + $0.id }).count == wish.split.count else {
            throw .invalid(field: "split", reason: "must have at most 20 parts, each for another one")
        }
        guard wish.split.allSatisfy({ $0.points >= 1 }), wish.split.reduce(0, { $0 + min($1.points, 10_001) }) <= 10_000 else {
            throw .invalid(field: "split", reason: "must have at least one point each and at most 10,000 together")
        }
        for part in wish.split { _ = try account(state, part) }
    }

    private static func above(_ state: EconomyState, _ id: String, _ wish: Wish, _ client: String) throws(EconomyError) -> AgentTask {
        guard let parent = state.tasks[id] else { throw .notFound("task \(id)") }
        guard parent.data.provider == client else {
            throw .forbidden("only \(parent.data.provider), who does the task \(id), passes parts of it on")
        }
        guard parent.phase == .funded else {
            throw .wrongState("the task \(id) is \(parent.phase.rawValue): only a funded one is passed on")
        }
        guard wish.deadline <= parent.data.deadline else {
            throw .invalid(field: "deadline", reason: "must be by \(parent.data.deadline), that of the task above")
        }
        try isRunning(state, parent)
        let chain = state.taskChain(from: id)
        guard chain.count < maximumDepth, parent.children.count < maximumChildren else {
            throw .wrongState("a tree of tasks has at most \(maximumDepth) levels, and at most \(maximumChildren) tasks below one")
        }
        if let cycle = chain.first(where: { $0.data.provider == wish.provider || $0.data.client == wish.provider }) {
            throw .invalid(
                field: "provider", reason: "\(wish.provider) is already in the task \(cycle.data.task) above: that would be a cycle")
        }
        guard wish.amount.asset == parent.data.amount.asset else {
            throw .invalid(field: "amount", reason: "must be in \(parent.data.amount.asset), as the task above")
        }
        return parent
    }

    // MARK: Money

    /// Throws unless the task may be funded so: asked before money is reserved, and again when it is.
    /// - Parameter payer: whose money, where that is known.
    public static func mayFund(
        _ state: EconomyState, _ id: String, _ amount: Amount, by client: String, payer: String? = nil, at now: Timestamp
    ) throws -> AgentTask {
        let task = try find(state, id)
        guard task.data.client == client else {
            throw EconomyError.forbidden("only \(task.data.client), who wants the task \(id), funds it")
        }
        guard task.phase == .open else { throw EconomyError.wrongState("the task \(id) is \(task.phase.rawValue), not open") }
        guard amount == task.data.amount else {
            throw EconomyError.invalid(field: "amount", reason: "must be \(task.data.amount), what the task pays")
        }
        guard now < task.data.deadline else { throw EconomyError.wrongState("the deadline of the task \(id) is over") }
        if let payer { try checkJudge(state, task.judge, of: task.data.provider, payer: payer) }
        return task
    }

    /// Funds the first task of a tree, whose money a hold has reserved.
    public static func fund(_ id: String, _ amount: Amount, payer: String, hold: String, authorization: String?)
        -> DecisionMaker<
            EconomyState
        >.Rule
    {
        { state, context in
            let task = try mayFund(state, id, amount, by: context.actor, at: context.logTime)
            guard task.data.parent == nil else { throw EconomyError.wrongState("the task \(id) is paid by the escrow of the one above it") }
            let authorized = authorization.flatMap { state.authorizations[$0]?.data }
            guard authorization == nil || authorized != nil else {
                throw EconomyError.wrongState("the mandate was revoked in the meantime")
            }
            if let meant = authorized?.task, meant != id {
                throw EconomyError.forbidden("the mandate's word is for the task \(meant)")
            }
            guard payer == authorized?.payer ?? context.actor else { throw EconomyError.forbidden("\(payer) does not pay this task") }
            try checkJudge(state, task.judge, of: task.data.provider, payer: payer)
            let funded = TaskFunded(
                task: id, root: id, payer: payer, amount: amount, hold: hold, mandate: authorized?.mandate, authorization: authorization)
            return [NewEvent(funded, stream: try GrantRules.stream("task", id))]
        }
    }

    /// Funds a task from the escrow of the one above it.
    public static func fundFromAbove(_ id: String, _ amount: Amount) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let task = try mayFund(state, id, amount, by: context.actor, at: context.logTime)
            guard let above = task.data.parent, let parent = state.tasks[above], let payer = parent.payer else {
                throw EconomyError.wrongState("the task \(id) has none above it")
            }
            guard parent.phase == .funded else { throw EconomyError.wrongState("the task \(above) is \(parent.phase.rawValue)") }
            try isRunning(state, parent)
            guard amount.units <= parent.left else {
                throw EconomyError.exceeds(
                    limit: "escrow of the task above", mandate: above, wanted: amount, left: Amount(parent.left, amount.asset))
            }
            return [
                NewEvent(
                    TaskFunded(task: id, root: task.data.root, payer: payer, amount: amount),
                    stream: try GrantRules.stream("task", task.data.root))
            ]
        }
    }

    /// Throws for a task of a tree whose mandate was revoked.
    static func isRunning(_ state: EconomyState, _ task: AgentTask) throws(EconomyError) {
        guard state.tasks[task.data.root]?.isStopped != true else {
            throw .wrongState("the mandate that pays the task \(task.data.root) was revoked: it takes no more work")
        }
    }

    static func find(_ state: EconomyState, _ id: String) throws(EconomyError) -> AgentTask {
        guard let task = state.tasks[id] else { throw .notFound("task \(id)") }
        return task
    }

    /// The account that a part of the pay goes to.
    static func account(_ state: EconomyState, _ part: TaskShare) throws(EconomyError) -> AccountID {
        let text: String
        switch part.kind {
        case "agent":
            guard state.parties[part.id] != nil else { throw .notFound("principal \(part.id)") }
            text = "payer:" + part.id
        case "model":
            guard let owner = state.modelOwners[part.id] else { throw .notFound("model \(part.id)") }
            text = "model-owner:" + owner
        case "datanet":
            guard state.datanets.contains(part.id) else { throw .notFound("Datanet \(part.id)") }
            text = "datanet:" + part.id
        default: throw .invalid(field: "split", reason: "must be for an agent, a model or a datanet, not \(part.kind)")
        }
        guard let account = AccountID(text) else { throw .invalid(field: "split", reason: "\(text) can't be an account") }
        return account
    }
}
