internal import Events
internal import Money

extension EconomyState {
    /// Whether a task, or one below it, was delivered and waits for its judgement, or for that of the work above it.
    func isDelivered(_ task: AgentTask) -> Bool {
        task.phase == .submitted || !task.waiting.isEmpty || task.children.contains { tasks[$0].map(isDelivered) ?? false }
    }

    /// The task and all above it, from itself upwards.
    func taskChain(from id: String) -> [AgentTask] {
        var chain: [AgentTask] = []
        var next: String? = id
        while let place = next, let task = tasks[place] {
            chain.append(task)
            next = task.data.parent
        }
        return chain
    }

    mutating func apply(_ data: TaskOpened) throws {
        guard tasks[data.task] == nil else { throw EconomyError.invalid(field: "task", reason: "\(data.task) is there already") }
        tasks[data.task] = AgentTask(data)
        openTasks.insert(data.task)
        tasks[data.root]?.stages += data.milestones.count
        if let parent = data.parent { tasks[parent]?.children.append(data.task) }
    }

    mutating func apply(_ data: TaskFunded) throws {
        guard let task = tasks[data.task], task.phase == .open else { throw EconomyError.wrongState("the task \(data.task) is not open") }
        tasks[data.task]?.phase = .funded
        tasks[data.task]?.payer = data.payer
        tasks[data.task]?.hold = data.hold
        tasks[data.task]?.mandate = data.mandate
        tasks[data.task]?.authorization = data.authorization
        if let authorization = data.authorization { authorizedTasks[authorization] = data.task }
        if let parent = task.data.parent { tasks[parent]?.passedOn += data.amount.units }
    }

    mutating func apply(_ data: TaskSubmitted) throws {
        guard tasks[data.task]?.phase == .funded else { throw EconomyError.wrongState("the task \(data.task) is not funded") }
        tasks[data.task]?.phase = .submitted
        tasks[data.task]?.artefacts.append(data.artefacts)
        tasks[data.task]?.isSigned = data.signature != nil
    }

    mutating func apply(_ data: TaskAccepted) throws {
        guard let task = tasks[data.task], task.phase == .submitted, let parent = task.data.parent else {
            throw EconomyError.wrongState("the task \(data.task) is not delivered, or not below another")
        }
        let passing = task.passing
        tasks[data.task]?.waiting.removeAll { passing.contains($0) }
        tasks[data.task]?.spent += passing.reduce(data.amount.units) { $0 + $1.data.amount.units }
        tasks[data.task]?.earned += data.amount.units
        tasks[parent]?.waiting += passing
        if data.amount.isPositive {
            tasks[parent]?.waiting.append(Earned(data: data, isCountersigned: task.isSigned && data.signature != nil))
        }
        try next(task, isOver: data.isOver)
    }

    mutating func apply(_ data: TaskCompleted) throws {
        guard let task = tasks[data.task] else { throw EconomyError.notFound("task \(data.task)") }
        tasks[data.task]?.paid += data.amount.units
        var isCountersigned = task.isSigned && data.signature != nil
        if data.milestone < task.milestone {
            // It was accepted before, and is due now that the work above was.
            let chain = taskChain(from: data.task)
            func isThis(_ earned: Earned) -> Bool { earned.data.task == data.task && earned.data.milestone == data.milestone }
            guard let place = chain.firstIndex(where: { $0.waiting.contains(where: isThis) }),
                let earned = chain[place].waiting.first(where: isThis)
            else { throw EconomyError.wrongState("the stage \(data.milestone) of the task \(data.task) does not wait to be due") }
            isCountersigned = earned.isCountersigned
            tasks[chain[place].data.task]?.waiting.removeAll(where: isThis)
            for above in chain[place...] { tasks[above.data.task]?.spent += data.amount.units }
        } else {
            guard task.phase == .submitted else { throw EconomyError.wrongState("the task \(data.task) is not delivered") }
            tasks[data.task]?.earned += data.amount.units
            for above in taskChain(from: data.task) { tasks[above.data.task]?.spent += data.amount.units }
            try next(task, isOver: data.isOver)
        }
        completions[Self.reference(data.task, data.milestone)] = Completion(
            isCountersigned: isCountersigned, client: data.client, provider: data.provider, task: data.task,
            payer: data.payer, payouts: data.payouts)
    }

    /// A stage was accepted: the next one begins, or the task is over.
    private mutating func next(_ task: AgentTask, isOver: Bool) throws {
        let id = task.data.task
        tasks[id]?.milestone += 1
        tasks[id]?.isSigned = false
        tasks[id]?.phase = .funded
        if isOver { try over(task, .completed) }
    }

    mutating func apply(_ data: TaskRejected) throws {
        guard let task = tasks[data.task], !task.isOver else { throw EconomyError.wrongState("the task \(data.task) is over") }
        try over(task, .rejected)
    }

    mutating func apply(_ data: TaskExpired) throws {
        guard let task = tasks[data.task], !task.isOver else { throw EconomyError.wrongState("the task \(data.task) is over") }
        try over(task, .expired)
    }

    /// A task ends: what it has not spent goes back to the task above, or to whom the money is.
    private mutating func over(_ before: AgentTask, _ phase: AgentTask.Phase) throws {
        let id = before.data.task
        openTasks.remove(id)
        stoppedTasks.remove(id)
        tasks[id]?.phase = phase
        // What nobody above agreed to comes to nothing with the work above.
        if phase != .completed { tasks[id]?.waiting = [] }
        guard before.isRunning, let task = tasks[id] else { return }
        if let parent = task.data.parent { tasks[parent]?.passedOn -= task.data.amount.units - task.spent }
        if let authorization = task.authorization {
            authorizedTasks[authorization] = nil
            try end(authorization, spent: task.spent)
        }
    }

    /// The name under which billing pays a stage.
    public static func reference(_ task: String, _ milestone: Int) -> String { "\(task)#\(milestone)" }
}
