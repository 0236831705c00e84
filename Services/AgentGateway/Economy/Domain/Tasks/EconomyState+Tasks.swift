internal import Events
internal import Money

extension EconomyState {
    /// Whether a task, or one below it, was delivered and waits for its judgement.
    func isDelivered(_ task: AgentTask) -> Bool {
        task.phase == .submitted || task.children.contains { tasks[$0].map(isDelivered) ?? false }
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
        if let parent = data.parent { tasks[parent]?.children.append(data.task) }
    }

    mutating func apply(_ data: TaskFunded) throws {
        guard let task = tasks[data.task], task.phase == .open else { throw EconomyError.wrongState("the task \(data.task) is not open") }
        tasks[data.task]?.phase = .funded
        tasks[data.task]?.payer = data.payer
        tasks[data.task]?.hold = data.hold
        tasks[data.task]?.mandate = data.mandate
        tasks[data.task]?.authorization = data.authorization
        if let parent = task.data.parent { tasks[parent]?.passedOn += data.amount.units }
    }

    mutating func apply(_ data: TaskSubmitted) throws {
        guard tasks[data.task]?.phase == .funded else { throw EconomyError.wrongState("the task \(data.task) is not funded") }
        tasks[data.task]?.phase = .submitted
        tasks[data.task]?.artefacts.append(data.artefacts)
        tasks[data.task]?.isSigned = data.signature != nil
    }

    mutating func apply(_ data: TaskCompleted) throws {
        guard let task = tasks[data.task], task.phase == .submitted else {
            throw EconomyError.wrongState("the task \(data.task) is not delivered")
        }
        tasks[data.task]?.paid += data.amount.units
        for above in taskChain(from: data.task) { tasks[above.data.task]?.spent += data.amount.units }
        if task.isSigned, data.signature != nil {
            countersigned[Self.reference(data.task, data.milestone)] = Completion(
                client: data.client, provider: data.provider, task: data.task)
        }
        tasks[data.task]?.milestone += 1
        tasks[data.task]?.isSigned = false
        tasks[data.task]?.phase = .funded
        if data.isOver { try over(task, .completed) }
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
        tasks[id]?.phase = phase
        guard before.isRunning, let task = tasks[id] else { return }
        if let parent = task.data.parent { tasks[parent]?.passedOn -= task.data.amount.units - task.spent }
        if let authorization = task.authorization { try end(authorization, spent: task.spent) }
    }

    /// The name under which billing pays a stage.
    public static func reference(_ task: String, _ milestone: Int) -> String { "\(task)#\(milestone)" }
}
