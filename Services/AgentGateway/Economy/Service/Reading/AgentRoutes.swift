internal import AgentEconomyDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Web

/// What the world may know of an agent: what it offers, what its work says of it, and the same in the forms of others.
struct AgentRoutes: Sendable {
    let maker: DecisionMaker<EconomyState>
    let directory: ServiceDirectory
    let names: ReputationDesk
    let address: PublicAddress

    var routes: [Route] { [show, reputation, card, registration] }

    private func party(_ context: RequestContext) async throws -> (id: String, party: EconomyState.Party) {
        let id = context.path["agent"]
        guard let party = try await maker.find({ $0.parties[id] }) else { throw EconomyError.notFound("principal \(id)") }
        return (id, party)
    }

    private var show: Route {
        Route(
            .get, "/v1/agents/{agent}", operation: "showAgent", summary: "Who it is, and what it offers.", access: .public,
            replies: [.json(200, "The agent.", .any)], problems: [.notFound]
        ) { [directory] context in
            let (id, party) = try await party(context)
            let services = try await directory.entries(of: id)
            return .json(
                .members([
                    "agent": .string(id), "kind": .string(party.kind), "owner": party.owner.map { .string($0) }, "keys": .texts(party.keys),
                    "services": .array(services.map(\.json)), "reputation": .string("/v1/agents/\(id)/reputation"),
                ]))
        }
    }

    private var reputation: Route {
        Route(
            .get, "/v1/agents/{agent}/reputation", operation: "showReputation",
            summary: "What settled work that both sides signed says of it, with the log's positions behind every figure.", access: .public,
            replies: [.json(200, "By asset.", .openObject(.required("items", .list(.any))))], problems: [.notFound]
        ) { [names] context in
            let id = try await party(context).id
            let names = try await names.names(of: id)
            return .json(["agent": .string(id), "items": .array(names.map(\.json))])
        }
    }

    private var card: Route {
        Route(
            .get, "/v1/agents/{agent}/agent-card.json", operation: "agentCard",
            summary: "The agent's A2A card: a skill for each of its services.", access: .public,
            replies: [.json(200, "The card.", .any)], problems: [.notFound]
        ) { [directory, address] context in
            let (id, _) = try await party(context)
            let services = try await directory.entries(of: id)
            guard !services.isEmpty else { throw EconomyError.notFound("card of \(id): it offers no service") }
            return A2ARoutes.card(AgentForms.card(of: id, services, base: address.base(context.request)), context)
        }
    }

    private var registration: Route {
        Route(
            .get, "/v1/agents/{agent}/registration.json", operation: "agentRegistration",
            summary: "The agent's ERC-8004 registration file, for whoever enters it into a registry.", access: .public,
            replies: [.json(200, "The file.", .any)], problems: [.notFound]
        ) { [directory, address] context in
            let (id, _) = try await party(context)
            return .json(AgentForms.registration(of: id, try await directory.entries(of: id), base: address.base(context.request)))
        }
    }
}

extension Reputation {
    var json: JSONValue {
        [
            "asset": .string(asset.text), "total": total.json, "counterparties": .count(counterparties), "score": .string(String(score)),
            "tasks": .array(
                tasks.map {
                    [
                        "task": .string($0.task), "client": .string($0.client), "amount": $0.amount.json,
                        "settlement": .string($0.settlement),
                        "positions": .array($0.positions.map { .count(Int($0)) }),
                    ]
                }),
            "went_round": .array(
                wentRound.map { way in
                    [
                        "from": .string(way.from), "to": .string(way.to), "amount": way.amount.json,
                        "positions": .array(way.positions.map { .count(Int($0)) }),
                    ]
                }),
        ]
    }
}
