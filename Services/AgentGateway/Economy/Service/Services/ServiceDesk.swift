internal import AgentEconomyDomain
internal import Decisions
internal import Events
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Web

/// Lists and changes services: the page goes into the store, its commitment into the event.
struct ServiceDesk: Sendable {
    let maker: DecisionMaker<EconomyState>
    let writings: EconomyWritings

    struct Wish: Sendable {
        let page: ServicePage
        let price: Amount
        let seconds: Int

        init(_ json: JSONValue) throws {
            let fields = try json.object()
            page = try ServicePage(fields.field("page").value)
            price = try fields.amount("price")
            seconds = try fields.int("seconds")
        }
    }

    /// - Parameter service: the one to change; a new one when nil.
    func list(_ wish: Wish, service: String?, context: RequestContext) async throws -> ServiceListed {
        let provider = try context.caller.subject
        let command = try context.requiredCommand
        let page = try await writings.put(try JSON.canonical(wish.page.json), by: provider, as: "page:" + command.id)
        let rule =
            service.map { ServiceRules.change($0, page: page, price: wish.price, seconds: wish.seconds) }
            ?? ServiceRules.list(page: page, price: wish.price, seconds: wish.seconds)
        return try await context.decide(maker, rule).first(ServiceListed.self)
    }
}
