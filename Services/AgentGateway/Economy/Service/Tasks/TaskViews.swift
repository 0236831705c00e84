internal import AgentEconomyDomain
internal import Events
internal import JSON
internal import Money

extension AgentTask {
    /// What is shown of it to those who have to do with it.
    var view: JSONValue {
        func amount(_ units: Int128) -> JSONValue { Amount(units, data.amount.asset).json }
        return .members([
            "task": .string(data.task), "root": .string(data.root), "parent": data.parent.map { .string($0) },
            "phase": .string(phase.rawValue),
            "client": .string(data.client), "provider": .string(data.provider), "evaluator": data.evaluator.map { .string($0) },
            "service": data.service.map { .string($0) }, "brief": .digest(data.brief), "amount": data.amount.json,
            "milestones": .array(data.milestones.map(\.json)), "milestone": .count(milestone), "split": .array(data.split.map(\.json)),
            "deadline": .string(data.deadline.description), "payer": payer.map { .string($0) }, "hold": hold.map { .string($0) },
            "mandate": mandate.map { .string($0) }, "earned": amount(earned), "paid": amount(paid), "passed_on": amount(passedOn),
            "left": amount(isRunning ? left : 0),
            "children": .texts(children), "artefacts": .array(artefacts.map { .array($0.map(\.json)) }),
        ])
    }

    /// Whether somebody has to do with it.
    func concerns(_ caller: String) -> Bool {
        data.client == caller || data.provider == caller || data.evaluator == caller || payer == caller
    }
}
