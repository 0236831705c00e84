internal import AgentEconomyDomain
internal import Events
internal import JSON
internal import Money

extension Mandate {
    /// What is shown of it.
    /// - Parameter now: log time or the clock's, for the period that runs.
    func view(at now: Timestamp, isLive: Bool) -> JSONValue {
        let window = MandatePeriod.number(of: now, terms.period)
        return .members([
            "mandate": .string(id), "root": .string(root), "parent": parent.map { .string($0) }, "grantor": .string(grantor),
            "agent": .string(agent), "payer": .string(payer), "terms": terms.json, "live": .bool(isLive && now < terms.expires),
            "ended": ended.map { .string($0) }, "used": Amount(used(in: window), terms.budget.asset).json,
            "carved_out": Amount(carved, terms.budget.asset).json, "free": Amount(max(0, free(in: window)), terms.budget.asset).json,
            "children": .count(children.count),
        ])
    }
}
