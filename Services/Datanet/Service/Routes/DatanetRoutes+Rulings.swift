internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import JSON
internal import Postgres
internal import ServiceShell
internal import Web

/// Rulings: what panels and arbiters decided, and what it costs.
extension DatanetRoutes {
    var rulingRoutes: [Route] { [decideDispute, rulings, ruling] }

    private var decideDispute: Route {
        command(
            "/v1/rulings", operation: "makeRuling", summary: "Decides a dispute or a task, once. For arbiters.", scope: "rulings:write",
            body: .object(
                .required("about", .oneOf("dispute", "task")), .required("subject", Self.id), .required("upheld", .boolean),
                .optional(
                    "penalties", .list(.object(.required("principal", Self.id), .required("points", .integer(1...10_000))), atMost: 200)),
                .optional("pool", Self.id), .optional("reason", .text(1...4_000))), gives: RulingMade.self
        ) { context in
            let (about, subject) = (Self.string(context, "about"), Self.string(context, "subject"))
            let upheld = context.json["upheld"]?.boolValue ?? false
            let pool = context.json["pool"]?.stringValue
            let penalties = try context.decode { json in
                try json.object().list("penalties") { entry throws(JSONFieldError) in try Penalty(entry) }
            }
            let words = context.json["reason"]?.stringValue
            var reason: Digest?
            if let words { reason = try await write(words, context) }
            let commitment = reason
            return try await context.decide(
                core.maker,
                rule {
                    try RulingRules.make(
                        $0, about: about, subject: subject, upheld: upheld, penalties: penalties, reason: commitment, pool: pool, $1)
                })
        }
    }

    private var rulings: Route {
        read(
            "/v1/rulings", operation: "rulings", summary: "All rulings, newest first.", query: Page.parameters(),
            replies: [.json(200, "A page of rulings.", Page.schema(.openObject()))]
        ) { context in
            try await page(
                context, list: "rulings", newestFirst: true, "select data, time, position from datanet.rulings where true", []
            ) { row in
                ["ruling": try Self.parsed(row, "data"), "time": try Self.date(row, "time"), "position": .int(try row.int("position"))]
            }
        }
    }

    private var ruling: Route {
        read("/v1/rulings/{id}", operation: "ruling", summary: "A ruling.") { context in
            let id = context.path["id"]
            return .json(
                try await core.maker.query { state in
                    guard let ruling = state.rulings[id] else { throw Problem(.notFound, "there is no ruling \(id)", field: "id") }
                    return ruling.json
                })
        }
    }
}
