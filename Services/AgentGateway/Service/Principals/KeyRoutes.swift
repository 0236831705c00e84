internal import AgentGatewayDomain
internal import Crypto
internal import Decisions
internal import Events
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Telemetry
internal import Web

/// Tokens for who signs in with a key, and API keys for programs.
struct KeyRoutes: Sendable {
    let maker: DecisionMaker<GatewayState>
    let signer: TokenSigner
    let clock: @Sendable () -> Timestamp

    /// How long a token holds, in seconds.
    static let lifetime: Int64 = 900

    private static let amount: Schema = .object(.required("asset", .text(1...19)), .required("amount", .text(.decimal)))
    private static let rate: Schema = .object(
        .optional("requests", .count), .optional("tokens", .count, "Of prompts and answers."), .optional("money", amount, "Fees."))
    private static let limits: Schema = .object(
        .optional("minute", rate, "In any minute."), .optional("day", rate, "In a day of UTC."),
        .optional("budget", amount, "Fees in all."))

    var routes: [Route] { [signIn, issue, list, revoke] }

    private var signIn: Route {
        Route(
            .post, "/v1/keys/token", operation: "signIn", summary: "A token for who proves to hold a principal's key.", access: .public,
            body: .json(
                .object(
                    .required("principal", .text(1...100)), .required("key", PrincipalRoutes.did), .required("time", .text(.time)),
                    .required(
                        "signature", PrincipalRoutes.signature, "By the key, over openledger/sign-in, principal, key and time, one a line.")
                )),
            replies: [
                .json(200, "The token.", .object(.required("token", .text(1...4_096)), .required("expires_in", .count)))
            ], problems: GatewayProblems.all
        ) { [maker, signer, clock] context in
            let (id, key, time, signature) = try context.decode { json in
                let fields = try json.object()
                return (
                    try fields.string("principal"), try fields.string("key"), try fields.timestamp("time"), try fields.string("signature")
                )
            }
            try ProofMessages.check(signature, by: key, over: ProofMessages.signIn(principal: id, key: key, time: time))
            guard abs(time.microseconds - clock().microseconds) <= ProofMessages.leeway else {
                throw GatewayError.badSignature("the time is more than two minutes from ours, \(clock()): sign in anew")
            }
            let principal = try await maker.find { $0.principals[id] }
            guard let principal, principal.keys.contains(key) else { throw GatewayError.badSignature("\(key) is no key of \(id)") }
            let token = try signer.mint(
                subject: id, audience: "openledger", kind: Caller.Kind(rawValue: principal.kind) ?? .agent,
                scopes: PrincipalRules.usualScopes,
                lifetime: Self.lifetime, now: PrincipalRules.issue(at: UnixTime.now, for: principal))
            return .json(["token": .string(token), "expires_in": .int(Self.lifetime)])
        }
    }

    private var issue: Route {
        Route(
            .post, "/v1/keys", operation: "issueAPIKey", summary: "Makes an API key, shown this once.", access: .scope("keys:write"),
            body: .json(
                .object(
                    .optional("principal", .text(1...100), "For whom; the caller itself when left out."),
                    .optional(
                        "scopes", .list(.text(1...100), atMost: 50),
                        "When left out all that the caller may, but keys:write; with a limit of money answers alone."),
                    .optional("expires", .text(.time)),
                    .optional("limits", Self.limits, "What answers that are asked for with it may use up."))),
            replies: [.json(201, "The key.", .any)], problems: PrincipalRoutes.problems
        ) { [maker] context in
            let caller = try PrincipalRoutes.holder(context)
            let fields = try context.decode { try $0.object() }
            let principal = try fields.optionalString("principal") ?? caller.subject
            let belongs = try await maker.query { $0.principals[principal].map { $0.id == caller.subject || $0.owner == caller.subject } }
            guard let belongs else { throw GatewayError.notFound("principal \(principal)") }
            guard belongs || caller.has("keys:administer") else { throw GatewayError.forbidden("\(principal) is not yours") }
            let limits = try context.decode { _ in try fields.optionalObject("limits").map { try KeyLimits($0) } }
            let usual =
                limits.map { PrincipalRules.hasMoney($0) } == true
                ? caller.scopes.intersection(["inferences:write", "inferences:read"]) : caller.scopes.subtracting(["keys:write"])
            let (scopes, expires) = try context.decode { _ in
                (
                    fields.optionalField("scopes") == nil ? usual : Set(try fields.ids("scopes")),
                    try fields.optionalTimestamp("expires")
                )
            }
            let key = APIKey.generate()
            // The key is random, so no repeat can ever be the same command: a lost reply costs a key that nobody knows.
            let outcome = try await maker.decide(
                .command(id: "api-key-" + key.hash.hex, digest: key.hash), actor: caller.subject, correlation: context.trace.traceID,
                PrincipalRules.asked(
                    by: caller.subject, issued: TokenTime.issued(context),
                    PrincipalRules.issue(
                        key.hash, to: principal, scopes: scopes, allowed: caller.scopes, expires: expires, limits: limits)))
            let issued = try outcome.first(KeyIssued.self)
            return .json(
                .members([
                    "key": .string(issued.key), "principal": .string(principal), "secret": .string(key.reveal()),
                    "scopes": .texts(issued.scopes),
                    "expires": issued.expires.map { .string($0.description) }, "limits": issued.limits?.json,
                ]), status: 201)
        }
    }

    private var list: Route {
        Route(
            .get, "/v1/keys", operation: "listAPIKeys", summary: "The API keys of the caller and of its agents; never the secrets.",
            access: .scope("keys:write"),
            replies: [.json(200, "Keys.", .any)]
        ) { [maker] context in
            let id = try context.caller.subject
            let keys = try await maker.query { state in
                state.apiKeys.values.filter { state.isOwn($0.principal, of: id) }.sorted { $0.key < $1.key }.map {
                    ($0, state.keyUsage[$0.key])
                }
            }
            return .json([
                "items": .array(
                    keys.map { key, usage in
                        .members([
                            "key": .string(key.key), "principal": .string(key.principal), "scopes": .texts(key.scopes),
                            "expires": key.expires.map { .string($0.description) },
                            "limits": key.limits?.json,
                            "spent": usage.map { .array($0.spent.values.sorted { $0.asset < $1.asset }.map(\.json)) },
                        ])
                    })
            ])
        }
    }

    private var revoke: Route {
        Route(
            .delete, "/v1/keys/{key}", operation: "revokeAPIKey",
            summary: "Ends an API key of the caller's, or of an agent of the caller's, at once.", access: .scope("keys:write"),
            idempotency: .required, replies: [.empty(204, "It counts no more.")], problems: PrincipalRoutes.problems
        ) { [maker] context in
            let caller = try context.caller.subject
            _ = try await context.decide(
                maker,
                PrincipalRules.asked(
                    by: caller, issued: TokenTime.issued(context), PrincipalRules.revoke(context.path["key"], by: caller)))
            return .noContent
        }
    }
}
