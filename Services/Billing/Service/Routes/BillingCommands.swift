internal import BillingDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Telemetry
internal import Web

/// Makes the routes that decide something: each takes an Idempotency-Key, runs one rule, and answers with the events it made. The
/// same key with the same body gets the same events again, for ever.
struct BillingCommands: Sendable {
    let desk: BillingDesk

    /// Who asks, what they ask, and the rule's context.
    struct Ask: Sendable {
        let caller: Caller
        let path: PathParameters
        let body: JSONFields
        let context: DecisionContext

        /// Throws unless the caller owns the account, or has the scope.
        func mayUse(_ account: AccountID, scope: String) throws { try Self.check(caller, account, scope: scope) }

        static func check(_ caller: Caller, _ account: AccountID, scope: String) throws {
            guard caller.has(scope) || account.owner == caller.subject else {
                throw Problem(.forbidden, "the account \(account) is not \(caller.subject)'s, and the credential has no scope \(scope)")
            }
        }
    }

    typealias Rule = @Sendable (BillingState, Ask) throws -> Decision

    static let amount: Schema = .object(
        .required("asset", .text(3...19), "Such as USDC/6."), .required("amount", .text(.decimal), "Minor units."))
    static let account: Schema = .text(3...200)
    static let id: Schema = .text(1...200)
    static let asset: Schema = .text(3...19)
    static let events: Schema = .object(
        .required(
            "events", .list(.openObject(.required("type", .text), .required("position", .count), .required("data", .any)), atMost: 1024)))

    func route(
        _ pattern: String, operation: String, summary: String, access: Access, body: Schema, _ rule: @escaping Rule
    ) -> Route {
        route(pattern, operation: operation, summary: summary, access: access, body: body, read: { _, _ in }) { state, ask, _ in
            try rule(state, ask)
        }
    }

    /// The same for bodies that take long to read: that is done before the decider's turn comes, which others wait for.
    func route<Input: Sendable>(
        _ pattern: String, operation: String, summary: String, access: Access, body: Schema,
        read: @escaping @Sendable (JSONFields, Caller) throws -> Input,
        _ rule: @escaping @Sendable (BillingState, Ask, Input) throws -> Decision
    ) -> Route {
        Route(
            .post, pattern, operation: operation, summary: summary, access: access, body: .json(body), idempotency: .required,
            replies: [.json(200, "What it made; no events when there was nothing to do.", Self.events)],
            problems: BillingError.problemTypes + DecisionError.problemTypes + [.forbidden]
        ) { [desk] context in
            let command = try context.requiredCommand
            let caller = try context.caller
            let path = context.path
            let (body, input) = try context.decode {
                let body = try $0.object()
                return (body, try read(body, caller))
            }
            let outcome = try await desk.decide(
                .command(id: command.id, digest: command.digest), actor: caller.subject, correlation: context.trace.traceID
            ) { state, decision in
                do {
                    return try rule(state, Ask(caller: caller, path: path, body: body, context: decision), input)
                } catch let error as JSONFieldError {
                    throw Problem(body: error)
                }
            }
            let events = outcome.facts.map { placed -> JSONValue in
                ["type": .string(placed.fact.type), "position": .count(Int(placed.position)), "data": placed.fact.data]
            }
            // Canonical, so that a repeated command gets the same bytes.
            return Response.json(bytes: try JSON.canonical(["events": .array(events)]))
        }.writing()
    }
}

extension PathParameters {
    /// An account in the path.
    func account(_ name: String = "account") throws -> AccountID {
        guard let account = AccountID(self[name]) else {
            throw Problem(.badPath, "must be <kind>:<owner>, such as payer:acme", field: name)
        }
        return account
    }
}

extension Query {
    /// An asset that must be there.
    func asset() throws -> Asset {
        do { return try Asset(string("asset") ?? "") } catch { throw Problem(.badQuery, "\(error)", field: "asset") }
    }
}
