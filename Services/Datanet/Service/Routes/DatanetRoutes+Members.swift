internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import JSON
internal import Postgres
internal import ServiceShell
internal import Web

/// Who belongs to a Datanet.
extension DatanetRoutes {
    var memberRoutes: [Route] { [members, grantRole, revokeRole] }

    private static let role: Schema = .object(
        .required("principal", id), .required("role", .oneOf("owner", "curator", "validator", "contributor", "consumer")))

    private var members: Route {
        read(
            "/v1/datanets/{id}/members", operation: "members", summary: "Who has which role.", access: .scope("datanets:read"),
            query: [QueryParameter("after", Self.id, "The principal that the page before ended with.")]
        ) { context in
            let id = context.path["id"]
            _ = try await core.maker.query { try $0.datanet(id) }
            let found = try await rows(
                context,
                """
                select principal, array_agg(role order by role) as roles from datanet.members
                where datanet = $1 and principal > $2 group by principal order by principal limit 500
                """, [.text(id), .text(context.query.string("after") ?? "")])
            let items: [JSONValue] = try found.map {
                ["principal": .string(try $0.text("principal")), "roles": .texts(try $0.textArray("roles"))]
            }
            return .json(["items": .array(items)])
        }
    }

    private var grantRole: Route {
        command(
            "/v1/datanets/{id}/members", operation: "grantRole",
            summary: "Gives a role. Owners give every role; curators, and in open Datanets people themselves, contributor and consumer.",
            body: Self.role, gives: MemberGranted.self
        ) { context in
            let (id, principal, role) = (context.path["id"], Self.string(context, "principal"), Self.string(context, "role"))
            return try await context.decide(core.maker, rule { try MembershipRules.grant($0, id, to: principal, role: role, $1) })
        }
    }

    private var revokeRole: Route {
        command(
            "/v1/datanets/{id}/members/revocations", operation: "revokeRole",
            summary: "Takes a role. A contributor who is put out can't contribute until the role is given again.", body: Self.role,
            gives: MemberRevoked.self
        ) { context in
            let (id, principal, role) = (context.path["id"], Self.string(context, "principal"), Self.string(context, "role"))
            return try await context.decide(core.maker, rule { try MembershipRules.revoke($0, id, from: principal, role: role, $1) })
        }
    }
}
