public import Decisions
public import Events
internal import Money

/// Delivering, judging and ending.
extension TaskRules {
    /// The provider delivers a stage.
    public static func submit(_ id: String, _ artefacts: [TaskArtefact], signature: TaskSignature?) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let task = try find(state, id)
            guard task.data.provider == context.actor else {
                throw EconomyError.forbidden("only \(task.data.provider), who does the task \(id), delivers it")
            }
            guard task.phase == .funded else { throw EconomyError.wrongState("the task \(id) is \(task.phase.rawValue), not funded") }
            try isRunning(state, task)
            guard context.logTime < task.data.deadline else { throw EconomyError.wrongState("the deadline of the task \(id) is over") }
            guard (1...maximumArtefacts).contains(artefacts.count) else {
                throw EconomyError.invalid(field: "artefacts", reason: "must be 1 to \(maximumArtefacts)")
            }
            guard artefacts.allSatisfy({ $0.bytes <= maximumBytes }) else {
                throw EconomyError.invalid(field: "artefacts", reason: "must have at most \(maximumBytes) bytes each")
            }
            try TaskSignatures.check(
                signature, of: context.actor, state, over: TaskSignatures.submission(id, task.milestone, artefacts.map(\.hash)))
            let submitted = TaskSubmitted(
                task: id, root: task.data.root, milestone: task.milestone, artefacts: artefacts, signature: signature)
            return [NewEvent(submitted, stream: try GrantRules.stream("task", task.data.root))]
        }
    }

    /// Whoever judges the task accepts the stage that was delivered. Its pay is due, and with it that of stages below which waited for this
    /// word, as far as the stages that were accepted go. Below another task it is due when the work above is accepted, by whoever judges
    /// that, up to the first task of the tree: who pays for the whole is the one whose word moves money. Where that is the same who
    /// accepts now, nothing is waited for.
    public static func complete(_ id: String, signature: TaskSignature?) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let task = try find(state, id)
            guard task.judge == context.actor else { throw EconomyError.forbidden("only \(task.judge) judges the task \(id)") }
            guard task.phase == .submitted else { throw EconomyError.wrongState("the task \(id) is \(task.phase.rawValue), not submitted") }
            let delivered = task.artefacts.last?.map(\.hash) ?? []
            try TaskSignatures.check(
                signature, of: context.actor, state, over: TaskSignatures.completion(id, task.milestone, delivered))
            let isLast = task.milestone == task.data.milestones.count - 1
            if isLast, let child = task.children.first(where: { state.tasks[$0]?.isRunning == true }) {
                throw EconomyError.wrongState("the task \(child) below \(id) runs: it has to end first")
            }
            guard let payer = task.payer, let root = state.tasks[task.data.root] else {
                throw EconomyError.wrongState("the task \(id) has no money")
            }
            let passing = task.passing
            let passed = passing.reduce(0) { $0 + $1.data.amount.units }
            // What tasks below it took is not paid a second time; what is over at the end is the provider's.
            let units =
                isLast
                ? task.left : max(0, min(task.data.milestones[task.milestone].amount.units, task.left, task.agreed - task.spent - passed))
            let amount = Amount(units, task.data.amount.asset)
            let payouts = try payouts(state, task, amount)
            let open = isLast ? task.children.filter { state.tasks[$0]?.phase == .open } : []
            var events: [NewEvent] = []
            for child in open { events += try rejecting(state, try find(state, child), by: context.actor, reason: "parent-ended") }
            let stream = try GrantRules.stream("task", task.data.root)
            guard state.taskChain(from: id).allSatisfy({ $0.judge == context.actor }) else {
                let accepted = TaskAccepted(
                    task: id, root: task.data.root, milestone: task.milestone, by: context.actor, amount: amount, payouts: payouts,
                    isOver: isLast, signature: signature)
                return events + [NewEvent(accepted, stream: stream)]
            }
            for earned in passing { events.append(NewEvent(try due(state, earned, payer: payer, hold: root.hold), stream: stream)) }
            let completed = TaskCompleted(
                task: id, root: task.data.root, milestone: task.milestone, by: context.actor, client: task.data.client,
                provider: task.data.provider, payer: payer, amount: amount, payouts: payouts, hold: root.hold, isOver: isLast,
                frees: isLast && task.data.parent == nil, authorization: isLast ? task.authorization : nil,
                spent: Amount(task.spent + passed + units, amount.asset), signature: signature)
            return events + [NewEvent(completed, stream: stream)]
        }
    }

    /// What was accepted below is due now.
    private static func due(_ state: EconomyState, _ earned: Earned, payer: String, hold: String?) throws(EconomyError) -> TaskCompleted {
        let data = earned.data
        let task = try find(state, data.task)
        return TaskCompleted(
            task: data.task, root: data.root, milestone: data.milestone, by: data.by, client: task.data.client,
            provider: task.data.provider, payer: payer, amount: data.amount, payouts: data.payouts, hold: hold, isOver: data.isOver,
            frees: false, spent: Amount(task.spent, data.amount.asset), signature: data.signature)
    }

    /// Who gets what: each part of the split, rounded by the largest remainder, and the provider the rest.
    private static func payouts(_ state: EconomyState, _ task: AgentTask, _ amount: Amount) throws(EconomyError) -> [TaskPayout] {
        guard amount.isPositive else { return [] }
        guard let own = AccountID("payer:" + task.data.provider) else {
            throw .invalid(field: "provider", reason: "\(task.data.provider) can't have an account")
        }
        let given = task.data.split.reduce(0) { $0 + $1.points }
        let weights = [UInt64(10_000 - given)] + task.data.split.map { UInt64($0.points) }
        var units: [AccountID: Int128] = [:]
        let parts = try exactly { () throws(MoneyError) in try amount.split(by: weights) }
        units[own, default: 0] += parts[0].units
        for (part, share) in zip(task.data.split, parts.dropFirst()) { units[try account(state, part), default: 0] += share.units }
        return units.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map {
            TaskPayout(account: $0.key, amount: Amount($0.value, amount.asset))
        }
    }

    // MARK: Ends

    /// Ends a task that came to nothing: the client may while it is open, whoever judges it once it is funded, the provider at any time.
    public static func reject(_ id: String) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let task = try find(state, id)
            guard !task.isOver else { throw EconomyError.wrongState("the task \(id) is \(task.phase.rawValue) already") }
            let isProvider = context.actor == task.data.provider
            let judge = task.phase == .open ? task.data.client : task.judge
            guard isProvider || context.actor == judge else {
                throw EconomyError.forbidden(
                    "only \(judge) and \(task.data.provider) end the task \(id) while it is \(task.phase.rawValue)")
            }
            return try rejecting(state, task, by: context.actor, reason: isProvider ? "declined" : "refused")
        }
    }

    /// Ends a task and all below it, those first.
    static func rejecting(_ state: EconomyState, _ task: AgentTask, by: String, reason: String) throws -> [NewEvent] {
        var events: [NewEvent] = []
        for child in task.children {
            guard let below = state.tasks[child], !below.isOver else { continue }
            events += try rejecting(state, below, by: by, reason: "parent-ended")
        }
        events.append(
            NewEvent(
                TaskRejected(
                    task: task.data.task, root: task.data.root, by: by, reason: reason, hold: task.hold,
                    authorization: task.authorization, spent: task.isRunning ? Amount(task.spent, task.data.amount.asset) : nil),
                stream: try GrantRules.stream("task", task.data.root)))
        return events
    }

    /// Whether log time has ended a task.
    public static func isDue(_ task: AgentTask, at now: Timestamp) -> Bool {
        guard !task.isOver else { return false }
        let grace = task.phase == .submitted ? judging * 1_000_000 : 0
        return now.microseconds >= task.data.deadline.microseconds + grace
    }

    /// Ends a task whose time is over, with all below it. Anybody may ask.
    public static func expire(_ id: String) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let task = try find(state, id)
            guard !task.isOver else { throw EconomyError.wrongState("the task \(id) is \(task.phase.rawValue) already") }
            guard isDue(task, at: context.logTime) else {
                throw EconomyError.wrongState("the task \(id) runs until \(task.data.deadline), and a day longer where it was delivered")
            }
            return try expiring(state, task, at: context.logTime)
        }
    }

    /// Ends whatever is due, a bounded number at once.
    public static func expireAll() -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            var events: [NewEvent] = []
            for id in state.openTasks.sorted() where events.count < 100 {
                guard let task = state.tasks[id], isDue(task, at: context.logTime) else { continue }
                // One below another that ends as well ends with it.
                if state.taskChain(from: id).dropFirst().contains(where: { !$0.isOver && ends($0, state, at: context.logTime) }) {
                    continue
                }
                // A tree that can't be ended, whatever is wrong with it, keeps no other from its end.
                if ends(task, state, at: context.logTime), let ended = try? expiring(state, task, at: context.logTime) { events += ended }
            }
            return events
        }
    }

    /// Ends the trees that a revoked mandate has stopped, a bounded number at once and each as a whole.
    public static func endStopped() -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            var events: [NewEvent] = []
            for id in state.stoppedTasks.sorted() where events.count < 100 {
                guard let task = state.tasks[id], !task.isOver else { continue }
                events += try rejecting(state, task, by: context.actor, reason: "mandate-revoked")
            }
            return events
        }
    }

    /// A task that is due waits for one below it that was delivered and may still be judged.
    private static func ends(_ task: AgentTask, _ state: EconomyState, at now: Timestamp) -> Bool {
        isDue(task, at: now) && task.children.allSatisfy { state.tasks[$0].map { $0.isOver || ends($0, state, at: now) } ?? true }
    }

    private static func expiring(_ state: EconomyState, _ task: AgentTask, at now: Timestamp) throws -> [NewEvent] {
        var events: [NewEvent] = []
        for child in task.children {
            guard let below = state.tasks[child], !below.isOver else { continue }
            guard isDue(below, at: now) else {
                throw EconomyError.wrongState("the task \(child) below was delivered and waits for its judgement")
            }
            events += try expiring(state, below, at: now)
        }
        events.append(try expiry(of: task))
        return events
    }

    /// The event that ends a task whose time is over.
    static func expiry(of task: AgentTask) throws -> NewEvent {
        NewEvent(
            TaskExpired(
                task: task.data.task, root: task.data.root, hold: task.hold, authorization: task.authorization,
                spent: task.isRunning ? Amount(task.spent, task.data.amount.asset) : nil),
            stream: try GrantRules.stream("task", task.data.root))
    }
}
