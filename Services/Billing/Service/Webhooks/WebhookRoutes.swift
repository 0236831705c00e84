internal import BillingDomain
internal import Crypto
internal import Events
internal import HTTP
internal import HTTPSignatures
internal import Identity
internal import JSON
internal import ServiceShell
internal import Web
internal import Webhooks

/// Webhooks: who is told of what, with which secret, and how it went.
struct WebhookRoutes: Sendable {
    let store: WebhookStore
    let queue: WebhookQueue
    let secrets: WebhookSecrets
    let allowsPlain: Bool
    /// What messages are signed by besides.
    let signer: MessageSigner
    /// Everything before this position is over.
    let next: @Sendable () async -> UInt64

    var routes: [Route] { [make, list, rotate, end, deliveries, published] }

    private typealias C = BillingCommands
    private static let shown: Schema = .openObject(
        .required("id", C.id), .required("account", C.account), .required("url", .text(1...2_000)))

    private var make: Route {
        Route(
            .post, "/v1/statements/webhooks", operation: "makeWebhook",
            summary: "Tells an address of what happens on an account, from now on.", access: .authenticated,
            body: .json(
                .object(
                    .required("account", C.account), .required("url", .text(1...2_000)),
                    .optional("types", .list(C.id, atMost: 40), "Event types; all of billing's when left out."))),
            idempotency: .required, replies: [.json(200, "The webhook, with the secret that its messages are signed by.", Self.shown)],
            problems: [.forbidden, .unprocessable]
        ) { context in
            let command = try context.requiredCommand
            let (account, url, types) = try context.decode {
                let body = try $0.object()
                return (try body.account("account"), try body.string("url", bytes: 1...2_000), try body.ids("types", atMost: 40))
            }
            try Self.mayChange(context, account)
            if let refusal = WebhookAddress.refusal(url, allowsPlain: allowsPlain) {
                throw Problem(.unprocessable, "url \(refusal)", field: "#/url")
            }
            if let unknown = types.first(where: { !BillingEvent.types.contains($0) }) {
                throw Problem(.unprocessable, "\(unknown) is no event type of billing's", field: "#/types")
            }
            guard try await store.hasRoom(account.text, command: command.id) else {
                throw Problem(
                    .unprocessable, "\(account) has \(WebhookStore.maximumOpen) webhooks already: end one first", field: "#/account")
            }
            let id = "wh_" + Hex.encode(Array(SHA256.hash(utf8: "openledger/webhook\n" + command.id).bytes.prefix(16)))
            guard
                let webhook = try await store.make(
                    id: id, account: account.text, url: url, types: types, since: await next(), command: command.id,
                    digest: command.digest.prefixed)
            else { throw Problem(.keyReused, "this Idempotency-Key made another webhook", field: "Idempotency-Key") }
            return .json(webhook.json(secret: secrets.text(webhook.id, webhook.generation)))
        }
    }

    private var list: Route {
        Route(
            .get, "/v1/statements/webhooks", operation: "listWebhooks", summary: "The webhooks of an account.", access: .authenticated,
            query: [QueryParameter("account", C.account, "The account.", required: true)],
            replies: [.json(200, "Without their secrets.", .object(.required("items", .list(Self.shown, atMost: 100))))],
            problems: [.forbidden]
        ) { context in
            guard let account = AccountID(context.query.string("account") ?? "") else {
                throw Problem(.badQuery, "is no account", field: "account")
            }
            try context.mayRead(account)
            return .json(["items": .array(try await store.webhooks(of: account.text).map { $0.json() })])
        }
    }

    private var rotate: Route {
        Route(
            .post, "/v1/statements/webhooks/{webhook}/secret", operation: "rotateWebhookSecret",
            summary: "Changes the secret; for a day the one before signs along.", access: .authenticated,
            body: .json(.object(.required("generation", .count, "Of the secret that is to go."))), idempotency: .required,
            replies: [.json(200, "The webhook with its secret.", Self.shown)], problems: [.forbidden, .notFound]
        ) { context in
            let generation = try context.decode { try $0.object().count("generation") }
            let webhook = try await own(context)
            try await queue.rotate(webhook.id, from: generation)
            guard let now = try await store.webhook(webhook.id) else { throw Problem(.notFound, "there is no webhook \(webhook.id)") }
            return .json(now.json(secret: secrets.text(now.id, now.generation)))
        }
    }

    private var end: Route {
        Route(
            .delete, "/v1/statements/webhooks/{webhook}", operation: "endWebhook", summary: "Ends a webhook.", access: .authenticated,
            replies: [.empty(204, "It is ended.")], problems: [.forbidden, .notFound]
        ) { context in
            try await queue.end(try await own(context).id)
            return .noContent
        }
    }

    private var deliveries: Route {
        Route(
            .get, "/v1/statements/webhooks/{webhook}/deliveries", operation: "webhookDeliveries",
            summary: "What was sent and how it went, the newest first.", access: .authenticated,
            query: [QueryParameter("limit", .integer(1...500), "At most so many; 100 when left out.")],
            replies: [.json(200, "The deliveries with each attempt.", .object(.required("items", .list(.any, atMost: 500))))],
            problems: [.forbidden, .notFound]
        ) { context in
            let webhook = try await own(context)
            let items = try await queue.deliveries(of: webhook.id, limit: context.query.integer("limit") ?? 100)
            return .json(["items": .array(items)])
        }
    }

    private var published: Route {
        Route(
            .get, "/v1/statements/webhooks/keys", operation: "webhookKeys",
            summary: "The key that webhooks' messages are signed by (RFC 9421), as a JWK Set.", access: .public,
            replies: [.json(200, "The keys.", .openObject(.required("keys", .list(.openObject(), atMost: 10))))]
        ) { [signer] _ in
            // With what proves the key in the directory of this house, which is the gateway's to show.
            let proof = try signer.signDirectory(label: "billing", now: UnixTime.now)
            return .json(
                .members([
                    "keys": try JSON.parse(try signer.jwks)["keys"], "signature_input": proof.map { .string($0.input) },
                    "signature": proof.map { .string($0.signature) },
                ]))
        }
    }

    private func own(_ context: RequestContext) async throws -> Webhook {
        let id = context.path["webhook"]
        guard let webhook = try await store.webhook(id), let account = AccountID(webhook.account) else {
            throw Problem(.notFound, "there is no webhook \(id)")
        }
        try Self.mayChange(context, account)
        return webhook
    }

    private static func mayChange(_ context: RequestContext, _ account: AccountID) throws {
        let caller = try context.caller
        guard caller.has("billing:admin") || account.owner == caller.subject else {
            throw Problem(.forbidden, "the account \(account) is not \(caller.subject)'s, and the credential has no scope billing:admin")
        }
    }
}
