internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Postgres
internal import ServiceShell
internal import Web

/// Datanets and their public pages.
extension DatanetRoutes {
    var datanetRoutes: [Route] { [create, datanets, datanet, describe] }

    private var create: Route {
        command(
            "/v1/datanets", operation: "createDatanet", summary: "Opens a Datanet; who opens it owns it.",
            body: .object(
                .required("domain", .text(1...64), "One word of a-z, 0-9 and -."), .required("media", .oneOf("text", "image", "audio")),
                .required("policy", .openObject(), "Its rules; see docs/datanets.md.")), gives: DatanetCreated.self
        ) { context in
            let policy = try Self.policy(context)
            let (domain, media) = (Self.string(context, "domain"), Self.string(context, "media"))
            return try await context.decide(core.maker, rule { try MembershipRules.create(domain, media: media, policy: policy, $1) })
        }
    }

    private var datanets: Route {
        read(
            "/v1/datanets", operation: "datanets", summary: "All Datanets, oldest first.",
            query: Page.parameters() + [QueryParameter("domain", .text(1...64), "Only of this domain.")],
            replies: [.json(200, "A page of Datanets.", Page.schema(.openObject()))]
        ) { context in
            try await page(
                context, list: "datanets",
                "select id, owner, domain, media, policy, created, position from datanet.datanets where ($1::text is null or domain = $1)",
                [context.query.string("domain").map { .text($0) } ?? .null]
            ) { row in
                [
                    "id": .string(try row.text("id")), "owner": .string(try row.text("owner")), "domain": .string(try row.text("domain")),
                    "media": .string(try row.text("media")), "policy": try Self.parsed(row, "policy"),
                    "created": try Self.date(row, "created"),
                ]
            }
        }
    }

    private var datanet: Route {
        read("/v1/datanets/{id}", operation: "datanet", summary: "A Datanet's public page: its rules and figures, no content.") { context in
            let id = context.path["id"]
            let (datanet, latest) = try await core.maker.query { state in
                let datanet = try state.datanet(id)
                return (datanet, datanet.snapshots.last.flatMap { state.snapshots[$0]?.published })
            }
            let figures = try await rows(
                context,
                """
                select count(*)::bigint as items, coalesce(sum(tokens), 0)::bigint as tokens, count(distinct owner)::bigint as owners
                from datanet.items where datanet = $1 and not dropped
                """, [.text(id)]
            ).one()
            var page: JSONValue?
            if let commitment = datanet.page, let author = datanet.pageAuthor,
                let text = try await core.writings.text(commitment, by: author)
            {
                page = try JSON.parse(text)
            }
            return .json(
                .members([
                    "id": .string(id), "domain": .string(datanet.domain), "media": .string(datanet.media), "policy": datanet.policy.json,
                    "governance": datanet.governance.json, "created": .string(datanet.created.description),
                    "items": .int(try figures.int("items")), "tokens": .int(try figures.int("tokens")),
                    "owners": .int(try figures.int("owners")), "members": .count(datanet.members.count),
                    "snapshots": .count(datanet.snapshots.count), "latest": latest?.json, "page": page,
                ]))
        }
    }

    private var describe: Route {
        command(
            "/v1/datanets/{id}/page", operation: "describeDatanet", summary: "Writes the public page: name, summary and tags.",
            body: .object(
                .required("name", .text(1...120)), .required("summary", .text(0...4_000)),
                .optional("tags", .list(.text(1...40), atMost: 20))), gives: DatanetDescribed.self
        ) { context in
            let id = context.path["id"]
            let actor = try context.caller.subject
            try await core.maker.query { state in
                guard try state.datanet(id).has(actor, [.owner, .curator]) else {
                    throw Problem(.forbidden, "owners and curators write the page")
                }
            }
            let page = try await write(String(decoding: JSON.write(context.json), as: UTF8.self), context)
            return try await context.decide(core.maker, rule { try MembershipRules.describe($0, id, page: page, $1) })
        }
    }
}
