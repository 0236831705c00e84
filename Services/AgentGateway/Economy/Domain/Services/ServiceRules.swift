public import Crypto
public import Decisions
internal import Events
public import Money

/// What is decided about offers.
public enum ServiceRules {
    /// Most services of one principal.
    public static let maximum = 200

    /// Offers a service.
    public static func list(page: Digest, price: Amount, seconds: Int) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            guard state.parties[context.actor] != nil else { throw EconomyError.notFound("principal \(context.actor): register first") }
            guard state.services.values.count(where: { $0.provider == context.actor }) < maximum else {
                throw EconomyError.wrongState("\(context.actor) offers \(maximum) services: withdraw one first")
            }
            return try listed(context.newID("sv"), context.actor, page, price, seconds, version: 1)
        }
    }

    /// Changes what is offered.
    public static func change(_ id: String, page: Digest, price: Amount, seconds: Int) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let service = try own(state, id, context.actor)
            return try listed(id, context.actor, page, price, seconds, version: service.version + 1)
        }
    }

    private static func listed(_ id: String, _ provider: String, _ page: Digest, _ price: Amount, _ seconds: Int, version: Int) throws
        -> [NewEvent]
    {
        guard !price.isNegative else { throw EconomyError.invalid(field: "price", reason: "must not be below zero") }
        guard (1...86_400 * 27).contains(seconds) else { throw EconomyError.invalid(field: "seconds", reason: "must be 1 to 27 days") }
        let listed = ServiceListed(service: id, provider: provider, page: page, price: price, seconds: seconds, version: version)
        return [NewEvent(listed, stream: try GrantRules.stream("service", id))]
    }

    /// Offers it no more.
    public static func withdraw(_ id: String) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let service = try own(state, id, context.actor)
            return [
                NewEvent(
                    ServiceWithdrawn(service: id, provider: service.provider), stream: try GrantRules.stream("service", id))
            ]
        }
    }

    private static func own(_ state: EconomyState, _ id: String, _ caller: String) throws(EconomyError) -> ServiceListed {
        guard let service = state.services[id] else { throw .notFound("service \(id)") }
        guard service.provider == caller else { throw .forbidden("the service \(id) is \(service.provider)'s") }
        return service
    }
}
