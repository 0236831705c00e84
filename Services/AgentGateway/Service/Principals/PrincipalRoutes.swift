internal import AgentGatewayDomain
internal import Crypto
internal import Decisions
internal import Events
internal import Identity
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Web

/// Registration, and what is known of principals.
struct PrincipalRoutes: Sendable {
    let maker: DecisionMaker<GatewayState>
    let clock: @Sendable () -> Timestamp

    var routes: [Route] { [register, show, configure, rotate, recover, verify] }

    static let problems = GatewayProblems.all + DecisionError.problemTypes
    static let did: Schema = .text(1...128)
    static let signature: Schema = .text(.base64URL)

    private var register: Route {
        Route(
            .post, "/v1/principals", operation: "registerPrincipal",
            summary: "Registers a person, organisation or agent by the key that it signs with.", access: .public,
            body: .json(
                .object(
                    .required("kind", .oneOf("person", "organisation", "agent")), .required("key", Self.did, "did:key of an Ed25519 key."),
                    .optional("owner", .text(1...100), "For an agent: whom it belongs to. The owner signs too."),
                    .required("signature", Self.signature, "By the key, over openledger/register, kind, key and owner, one a line."),
                    .optional("owner_key", Self.did, "For an agent: the owner's key."),
                    .optional("owner_signature", Self.signature, "For an agent: the owner's signature over the same text."))),
            idempotency: .required, replies: [.json(201, "The principal.", .any)], problems: Self.problems
        ) { [maker] context in
            let fields = try context.decode { try $0.object() }
            let kind = try fields.string("kind")
            let key = try fields.string("key")
            let owner = try fields.optionalString("owner")
            let proof = KeyProof(
                signature: try fields.string("signature"), ownerKey: try fields.optionalString("owner_key"),
                ownerSignature: try fields.optionalString("owner_signature"))
            try proof.check(kind: kind, key: key, owner: owner)
            // Who is not known yet has no name: the key stands for it.
            let command = try context.requiredCommand
            let outcome = try await maker.decide(
                .command(id: command.id, digest: command.digest), actor: key, correlation: context.trace.traceID,
                PrincipalRules.register(kind: kind, key: key, owner: owner, proof: proof))
            return .json(try outcome.first(PrincipalRegistered.self).json, status: 201)
        }
    }

    /// The caller, who has shown that it holds a key of its own by signing in or signing the request. An API key is narrower than whose it
    /// is: were it to link a key, or to make another, it would make itself as wide, and outlive its own end.
    static func holder(_ context: RequestContext) throws -> Caller {
        let caller = try context.caller
        guard caller.key == nil else {
            throw GatewayError.forbidden("an API key makes and links no keys: sign in with a key of your own at POST /v1/keys/token")
        }
        return caller
    }

    private var show: Route {
        Route(
            .get, "/v1/principals/{principal}", operation: "showPrincipal", summary: "A principal, its keys and what it has proven.",
            access: .authenticated, replies: [.json(200, "The principal.", .any)], problems: [.notFound]
        ) { [maker] context in
            let id = context.path["principal"]
            guard let principal = try await maker.find({ $0.principals[id] }) else { throw GatewayError.notFound("principal \(id)") }
            return .json(
                .members([
                    "principal": .string(principal.id), "kind": .string(principal.kind), "owner": principal.owner.map { .string($0) },
                    "registered": .string(principal.registered.description), "keys": .texts(principal.keys),
                    "claims": .texts(principal.claims),
                    "verified": .bool(principal.isVerified), "retention_days": principal.retentionDays.map { .count($0) },
                ]))
        }
    }

    private var configure: Route {
        Route(
            .put, "/v1/principals/{principal}/retention", operation: "chooseRetention",
            summary: "Chooses how long the texts of the answers that the principal pays for are kept.", access: .scope("keys:write"),
            body: .json(
                .object(
                    .optional(
                        "retention_days", .integer(Retention.range),
                        "Days after the day of the answer, in UTC; their key is then destroyed. Left out: until the principal erases them.")
                )), idempotency: .required, replies: [.empty(204, "It holds for answers from now on.")], problems: Self.problems
        ) { [maker] context in
            let id = context.path["principal"]
            guard try context.caller.subject == id else { throw GatewayError.forbidden("only \(id) itself chooses") }
            let days = try context.decode { try $0.object().optionalInt("retention_days") }
            _ = try await context.decide(maker, PrincipalRules.configure(id, retentionDays: days))
            return .noContent
        }
    }

    private var rotate: Route {
        Route(
            .post, "/v1/principals/{principal}/keys", operation: "rotatePrincipalKey",
            summary: "Links a further key, takes one away, or puts one in the place of another.", access: .scope("keys:write"),
            body: .json(
                .object(
                    .optional("add", Self.did), .optional("signature", Self.signature, "By the added key, over openledger/link-key."),
                    .optional("remove", Self.did))), idempotency: .required, replies: [.json(200, "What changed.", .any)],
            problems: Self.problems
        ) { [maker] context in
            let id = context.path["principal"]
            guard try Self.holder(context).subject == id else { throw GatewayError.forbidden("only \(id) itself changes its keys") }
            let fields = try context.decode { try $0.object() }
            let added = try fields.optionalString("add")
            let signature = added == nil ? nil : try fields.string("signature")
            if let added, let signature {
                try ProofMessages.check(signature, by: added, over: ProofMessages.linking(principal: id, key: added))
            }
            let outcome = try await context.decide(
                maker,
                PrincipalRules.asked(
                    by: id, issued: TokenTime.issued(context),
                    PrincipalRules.rotate(
                        id, adding: added, removing: try fields.optionalString("remove"), signature: signature)))
            return .json(try outcome.first(KeyRotated.self).json)
        }
    }

    private var recover: Route {
        Route(
            .post, "/v1/principals/{principal}/recovery", operation: "recoverPrincipal",
            summary:
                "Gives a principal who lost its keys a new one, and ends the others: an agent's owner, or who holds principals:recover.",
            access: .scope("keys:write"),
            body: .json(
                .object(
                    .required("key", Self.did, "did:key of an Ed25519 key."),
                    .required("signature", Self.signature, "By that key, over openledger/recover, principal and key, one a line."))),
            idempotency: .required, replies: [.json(200, "What changed.", .any)], problems: Self.problems
        ) { [maker] context in
            let id = context.path["principal"]
            let caller = try Self.holder(context)
            guard let owner = try await maker.query({ state in state.principals[id].map { $0.owner ?? "" } }) else {
                throw GatewayError.notFound("principal \(id)")
            }
            guard owner == caller.subject || caller.has("principals:recover") else {
                throw GatewayError.forbidden("\(id) is recovered by its owner, or by who holds principals:recover")
            }
            let fields = try context.decode { try $0.object() }
            let key = try fields.string("key")
            let signature = try fields.string("signature")
            try ProofMessages.check(signature, by: key, over: ProofMessages.recovery(principal: id, key: key))
            let outcome = try await context.decide(
                maker,
                PrincipalRules.asked(
                    by: caller.subject, issued: TokenTime.issued(context), PrincipalRules.recover(id, adding: key, signature: signature)))
            return .json(try outcome.first(KeyRotated.self).json)
        }
    }

    private var verify: Route {
        Route(
            .post, "/v1/principals/{principal}/claims", operation: "recordPrincipalClaim",
            summary: "Says that a principal has proven a claim, so that its shares can be paid.", access: .scope("principals:verify"),
            body: .json(.object(.required("claim", .oneOf("mail", "domain", "vouched")))), idempotency: .required,
            replies: [.empty(204, "It is recorded.")], problems: Self.problems
        ) { [maker] context in
            let claim = try context.decode { try $0.object().string("claim") }
            _ = try await context.decide(maker, PrincipalRules.verify(context.path["principal"], claim: claim))
            return .noContent
        }
    }
}
