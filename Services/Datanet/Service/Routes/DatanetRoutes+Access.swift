internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Postgres
internal import ServiceShell
internal import Web

/// Asking for access, giving it, and who used it.
extension DatanetRoutes {
    var accessRoutes: [Route] { [request, grant, revoke, accesses] }

    private static let purpose: Schema = .oneOf("read", "train", "retrieve")

    private var request: Route {
        command(
            "/v1/datanets/{id}/access-requests", operation: "requestAccess", summary: "Asks to be let into a Datanet.",
            body: .object(.required("purpose", Self.purpose), .optional("reason", .text(0...4_000))), gives: AccessRequested.self
        ) { context in
            let (id, purpose) = (context.path["id"], Self.string(context, "purpose"))
            _ = try await core.maker.query { try $0.datanet(id) }
            var reason: Digest?
            if let text = context.json["reason"]?.stringValue, !text.isEmpty { reason = try await write(text, context) }
            let commitment = reason
            return try await context.decide(core.maker, rule { try AccessRules.request($0, id, purpose: purpose, reason: commitment, $1) })
        }
    }

    private var grant: Route {
        command(
            "/v1/datanets/{id}/grants", operation: "grantAccess", summary: "Lets somebody in: for a purpose, at a price, until a time.",
            body: .object(
                .required("grantee", Self.id), .required("purpose", Self.purpose), .optional("price", Self.amount),
                .optional("expires", .text(.time), "With six fractional digits.")), gives: AccessGranted.self
        ) { context in
            let id = context.path["id"]
            let (grantee, purpose) = (Self.string(context, "grantee"), Self.string(context, "purpose"))
            let (price, expires) = try context.decode { json in
                let fields = try json.object()
                return (try fields.optionalAmount("price"), try fields.optionalTimestamp("expires"))
            }
            return try await context.decide(
                core.maker, rule { try AccessRules.grant($0, id, to: grantee, purpose: purpose, price: price, expires: expires, $1) })
        }
    }

    private var revoke: Route {
        command(
            "/v1/datanets/{id}/grants/{grant}/revocation", operation: "revokeAccess", summary: "Ends a grant before its time.",
            body: .object(), gives: AccessRevoked.self
        ) { context in
            let (id, grant) = (context.path["id"], context.path["grant"])
            try await core.maker.query { state in
                guard state.grants[grant]?.terms.datanet == id else {
                    throw Problem(.notFound, "there is no grant \(grant) of \(id)", field: "grant")
                }
            }
            return try await context.decide(core.maker, rule { try AccessRules.revoke($0, grant, $1) })
        }
    }

    private var accesses: Route {
        read(
            "/v1/datanets/{id}/accesses", operation: "accesses", summary: "Who asked, was let in, and read what, newest first.",
            access: .scope("datanets:read"), query: Page.parameters(),
            replies: [.json(200, "A page of accesses.", Page.schema(.openObject()))]
        ) { context in
            let id = context.path["id"]
            let caller = try context.caller
            // Officers see all; others what concerns themselves.
            let isOfficer = try await core.maker.query { try $0.datanet(id).has(caller.subject, [.owner, .curator]) }
            let only: PostgresValue = isOfficer || caller.kind == .service ? .null : .text(caller.subject)
            return try await page(
                context, list: "accesses", newestFirst: true,
                """
                select what, id, principal, data, time, position from datanet.accesses
                where datanet = $1 and ($2::text is null or principal = $2)
                """, [.text(id), only]
            ) { row in
                [
                    "what": .string(try row.text("what")), "id": .string(try row.text("id")),
                    "principal": .string(try row.text("principal")),
                    "data": try Self.parsed(row, "data"), "time": try Self.date(row, "time"), "position": .int(try row.int("position")),
                ]
            }
        }
    }
}
