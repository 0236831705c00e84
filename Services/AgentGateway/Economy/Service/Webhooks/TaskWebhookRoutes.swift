internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import HTTPSignatures
internal import Identity
internal import JSON
internal import ServiceShell
internal import Web
internal import Webhooks

/// Webhooks of tasks: who is told of what, with which secret, and how it went; and the keys that messages are signed by.
struct TaskWebhookRoutes: Sendable {
    let maker: DecisionMaker<EconomyState>
    let desk: TaskWebhookDesk
    let peers: Peers

    var routes: [Route] { [make, list, rotate, end, deliveries, directory] }

    private static let shown: Schema = .openObject(.required("id", MandateRoutes.id), .required("url", .text(1...2_000)))

    private var make: Route {
        Route(
            .post, "/v1/webhooks", operation: "makeTaskWebhook",
            summary: "Tells an address what happens to the caller's tasks from now on, as Standard Webhooks say.",
            access: .scope("agents:write"),
            body: .json(
                .object(
                    .required("url", .text(1...2_000), "https, and a public name."),
                    .optional("task", MandateRoutes.id, "Only what happens to this one."),
                    .optional("types", .list(MandateRoutes.id, atMost: 10), "Event types, such as task.submitted; all when left out."))),
            idempotency: .required, replies: [.json(200, "The webhook, with the secret that its messages are signed by.", Self.shown)],
            problems: [.notFound, .unprocessable, EconomyProblems.state, .keyReused]
        ) { [maker, desk] context in
            let command = try context.requiredCommand
            let caller = try context.caller.subject
            let (url, task, types) = try context.decode { json in
                let body = try json.object()
                return (try body.string("url", bytes: 1...2_000), try body.optionalID("task"), try Self.types(body))
            }
            if let unknown = types.first(where: { !TaskNotice.types.contains($0) }) {
                throw Problem(.unprocessable, "\(unknown) is no event type of tasks", field: "#/types")
            }
            if let task {
                guard let found = try await maker.find({ $0.tasks[task] }), found.concerns(caller) else {
                    throw EconomyError.notFound("task \(task)")
                }
            }
            try await desk.check(url, of: caller, field: "url")
            let id = "wh_" + Hex.encode(Array(SHA256.hash(utf8: "openledger/task-webhook\n" + command.id).bytes.prefix(16)))
            let wish = TaskWebhookStore.Wish(
                id: id, owner: caller, form: .standard, task: task, url: url, types: types, since: await desk.next, command: command.id,
                digest: command.digest.prefixed)
            guard let webhook = try await desk.store.make(wish) else {
                throw Problem(.keyReused, "this Idempotency-Key made another webhook", field: "Idempotency-Key")
            }
            return .json(webhook.json(secret: desk.secrets.text(webhook.id, webhook.generation)))
        }
    }

    private static func types(_ body: JSONFields) throws(JSONFieldError) -> [String] {
        body.optionalField("types") == nil ? [] : try body.ids("types", atMost: 10)
    }

    private var list: Route {
        Route(
            .get, "/v1/webhooks", operation: "listTaskWebhooks", summary: "The caller's webhooks of tasks.", access: .authenticated,
            replies: [
                .json(200, "Without their secrets.", .object(.required("items", .list(Self.shown, atMost: TaskWebhookStore.most + 1))))
            ]
        ) { [desk] context in
            let all = try await desk.store.webhooks(of: try context.caller.subject).filter { $0.form == .standard }
            return .json(["items": .array(all.map { $0.json() })])
        }
    }

    private var rotate: Route {
        Route(
            .post, "/v1/webhooks/{webhook}/secret", operation: "rotateTaskWebhookSecret",
            summary: "Changes the secret; for a day the one before signs along.", access: .scope("agents:write"),
            body: .json(.object(.required("generation", .count, "Of the secret that is to go."))), idempotency: .required,
            replies: [.json(200, "The webhook with its secret.", Self.shown)], problems: [.notFound]
        ) { [desk] context in
            let generation = try context.decode { try $0.object().count("generation") }
            let id = try await own(context).id
            try await desk.queue.rotate(id, from: generation)
            guard let now = try await desk.store.webhook(id) else { throw EconomyError.notFound("webhook \(id)") }
            return .json(now.json(secret: desk.secrets.text(id, now.generation)))
        }
    }

    private var end: Route {
        Route(
            .delete, "/v1/webhooks/{webhook}", operation: "endTaskWebhook", summary: "Ends a webhook.", access: .scope("agents:write"),
            replies: [.empty(204, "It is ended.")], problems: [.notFound]
        ) { [desk] context in
            try await desk.queue.end(try await own(context).id)
            return .noContent
        }
    }

    private var deliveries: Route {
        Route(
            .get, "/v1/webhooks/{webhook}/deliveries", operation: "taskWebhookDeliveries",
            summary: "What was sent and how it went, the newest first.", access: .authenticated,
            query: [QueryParameter("limit", .integer(1...500), "At most so many; 100 when left out.")],
            replies: [.json(200, "The deliveries with each attempt.", .object(.required("items", .list(.any, atMost: 500))))],
            problems: [.notFound]
        ) { [desk] context in
            let webhook = try await own(context)
            return .json(["items": .array(try await desk.queue.deliveries(of: webhook.id, limit: context.query.integer("limit") ?? 100))])
        }
    }

    private func own(_ context: RequestContext) async throws -> TaskWebhook {
        let id = context.path["webhook"]
        guard let webhook = try await desk.store.webhook(id), webhook.owner == (try context.caller.subject) else {
            throw EconomyError.notFound("webhook \(id)")
        }
        return webhook
    }

    /// The gateway's key and billing's: both send webhooks.
    private var directory: Route {
        Route(
            .get, MessageSigner.directory, operation: "signatureDirectory",
            summary: "The keys that this house signs its requests by (RFC 9421, Web Bot Auth).", access: .public,
            replies: [.content(200, "A JWK Set.", type: "application/http-message-signatures-directory+json")]
        ) { [desk, peers] _ in
            var keys = try JSON.parse(try desk.signer.jwks)["keys"]?.arrayValue ?? []
            var proofs: [(input: String, signature: String)] = []
            if let own = try desk.signer.signDirectory(label: "gateway", now: UnixTime.now) { proofs.append(own) }
            if let billing = try? await peers.call("GET", .billing, "/v1/statements/webhooks/keys") {
                keys += billing["keys"]?.arrayValue ?? []
                if let input = billing["signature_input"]?.stringValue, let signature = billing["signature"]?.stringValue {
                    proofs.append((input, signature))
                }
            }
            var response = Response.json(["keys": .array(keys)])
            if !proofs.isEmpty {
                response.headers.set("Signature-Input", proofs.map(\.input).joined(separator: ", "))
                response.headers.set("Signature", proofs.map(\.signature).joined(separator: ", "))
            }
            response.headers.set("Content-Type", "application/http-message-signatures-directory+json")
            response.headers.set("Cache-Control", "max-age=60")
            return response
        }
    }
}
