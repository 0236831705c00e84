public import Events
internal import Money

/// How mandates change. What counts where follows one rule: what a mandate spends, or carves out for a mandate below it, counts against
/// it and against every one above it up to the first live mandate whose own budget was carved out, for that budget counts above already.
extension EconomyState {
    /// The mandates that a payment under `id` counts against, from itself upwards.
    func route(from id: String) -> [String] {
        var route: [String] = []
        var next: String? = id
        while let place = next, let mandate = mandates[place] {
            route.append(place)
            if mandate.terms.carved, mandate.ended == nil { break }
            next = mandate.parent
        }
        return route
    }

    /// The mandate and all above it, from itself upwards.
    public func chain(from id: String) -> [Mandate] {
        var chain: [Mandate] = []
        var next: String? = id
        while let place = next, let mandate = mandates[place] {
            chain.append(mandate)
            next = mandate.parent
        }
        return chain
    }

    /// The period that counts at a moment. One that has begun on any mandate of the route is not gone back from, whatever a clock says.
    func window(of route: [String], at time: Timestamp, _ period: String) -> Int64 {
        var window = MandatePeriod.number(of: time, period)
        for place in route { window = max(window, mandates[place]?.window ?? .min) }
        return window
    }

    mutating func apply(_ data: MandateGranted) throws {
        guard mandates[data.mandate] == nil else {
            throw EconomyError.invalid(field: "mandate", reason: "\(data.mandate) is there already")
        }
        var depth = 0
        if let parent = data.parent {
            guard let above = mandates[parent] else { throw EconomyError.notFound("mandate \(parent)") }
            depth = above.depth + 1
            if data.terms.carved {
                for place in route(from: parent) { mandates[place]?.carved += data.terms.budget.units }
            }
            mandates[parent]?.children.append(data.mandate)
        }
        mandates[data.mandate] = Mandate(data, depth: depth)
        mandatesOfAgent[data.agent, default: []].append(data.mandate)
    }

    mutating func apply(_ data: MandateAuthorized) throws {
        guard let mandate = mandates[data.mandate] else { throw EconomyError.notFound("mandate \(data.mandate)") }
        let route = route(from: data.mandate)
        let window = window(of: route, at: data.at, mandate.terms.period)
        for place in route { mandates[place]?.add(data.amount.units, in: window) }
        var next: String? = data.mandate
        while let place = next, let above = mandates[place] {
            if let every = above.terms.recurrence?.every { mandates[place]?.count(in: MandatePeriod.number(of: data.at, every)) }
            next = above.parent
        }
        mandates[data.mandate]?.running.insert(data.authorization)
        authorizations[data.authorization] = Authorization(data: data, window: window)
        if let approval = data.approval { approvals[approval] = nil }
    }

    /// An authorisation ends: what it did not spend is free again, in the period that it counted in.
    mutating func end(_ id: String, spent: Int128) throws {
        guard let authorization = authorizations.removeValue(forKey: id) else { return }
        let rest = authorization.data.amount.units - spent
        guard rest >= 0 else { throw EconomyError.invalid(field: "amount", reason: "of \(id) is more than was authorised") }
        let mandate = authorization.data.mandate
        for place in route(from: mandate) where mandates[place]?.window == authorization.window {
            mandates[place]?.add(-rest, in: authorization.window)
        }
        mandates[mandate]?.running.remove(id)
    }

    mutating func apply(_ data: MandateRevoked) throws {
        guard mandates[data.mandate] != nil else { throw EconomyError.notFound("mandate \(data.mandate)") }
        try stop(data.mandate, data.reason)
    }

    /// Whether nothing will be heard of an authorisation any more once its time is over. A payment that was taken up is made or fails, and
    /// a task that was funded ends, whenever that is.
    public func isForgotten(_ authorization: MandateAuthorized, at now: Timestamp) -> Bool {
        switch authorization.purpose {
        case "payment": false
        case "task": authorization.expires <= now && authorizedTasks[authorization.authorization] == nil
        default: authorization.expires <= now
        }
    }

    /// Ends a mandate after all that hang on it.
    private mutating func stop(_ id: String, _ reason: String) throws {
        guard let mandate = mandates[id], mandate.ended == nil else { return }
        for child in mandate.children { try stop(child, reason) }
        for authorization in mandates[id]?.running.sorted() ?? [] {
            if authorizations[authorization]?.data.purpose == "payment" {
                // What is on its way has to be counted. What still waits for the thing that it buys goes no further.
                guard let payment = authorizedPayments[authorization], payments[payment]?.awaitsDelivery == true else { continue }
                stoppedPayments[payment] = id
            }
            if let place = authorizedTasks[authorization], let task = tasks[place] {
                // What was promised while the mandate held is kept; what was delivered is judged.
                if reason == "expired" || isDelivered(task) { continue }
                tasks[place]?.isStopped = true
                stoppedTasks.insert(place)
                continue
            }
            try end(authorization, spent: 0)
            stopped.insert(authorization)
        }
        guard let now = mandates[id] else { return }
        mandates[id]?.ended = reason
        // What was carved out goes back, less what of it was spent in the period that runs.
        guard now.terms.carved, let parent = now.parent else { return }
        for place in route(from: parent) {
            mandates[place]?.carved -= now.terms.budget.units
            mandates[place]?.add(now.used(in: now.window), in: now.window)
        }
    }
}
