internal import Events
internal import Postgres
internal import Projections

/// Puts what happens to tasks among the deliveries of those who have to do with them and want to be told, once for each event: in the
/// transaction in which the position moves on. What was sent was sent: of its tables only the one of tasks' parties is made anew by a rebuild.
struct TaskNoticeProjection: Projection {
    let name = "webhooks"
    let schema = "agent_gateway"
    let version = 1
    let tables = ["task_parties"]

    private struct Wanted {
        let id: String
        let form: TaskNotice.Form
        let task: String?
        let types: [String]
        let since: Int64
    }

    func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws {
        let notices = try events.compactMap { event in try TaskNotice(event).map { (event, $0) } }
        if notices.isEmpty { return }
        let wanted = try wanted(session)
        for (event, notice) in notices {
            for party in Set(notice.parties).sorted() {
                _ = try session.execute(
                    Statement(
                        "insert into \(tables["task_parties"]) (task, root, party) values ($1, $2, $3) on conflict do nothing",
                        name: "a task's party in \(tables.schema)"), [.text(notice.task), .text(notice.root), .text(party)])
            }
            if wanted.isEmpty { continue }
            let parties = try session.execute(
                Statement(
                    "select party from \(tables["task_parties"]) where task = $1 order by party",
                    name: "a task's parties in \(tables.schema)"),
                [.text(notice.task)])
            for row in parties {
                for one in wanted[try row.text(0)] ?? [] where Self.fits(one, event, notice) { try tell(one, event, notice, session) }
            }
        }
    }

    private func wanted(_ session: PostgresSession) throws -> [String: [Wanted]] {
        let rows = try session.execute(
            Statement("select id, owner, form, task, types, since from agent_gateway.webhooks where ended is null", name: "open webhooks"))
        var wanted: [String: [Wanted]] = [:]
        for row in rows {
            guard let form = TaskNotice.Form(rawValue: try row.text(2)) else { continue }
            wanted[try row.text(1), default: []].append(
                Wanted(
                    id: try row.text(0), form: form, task: try row.optionalText(3), types: try row.textArray(4), since: try row.int(5)))
        }
        return wanted
    }

    private static func fits(_ one: Wanted, _ event: ProjectedEvent, _ notice: TaskNotice) -> Bool {
        Int64(event.position) >= one.since && (one.task == nil || one.task == notice.task)
            && (one.types.isEmpty || one.types.contains(notice.type))
    }

    private func tell(_ one: Wanted, _ event: ProjectedEvent, _ notice: TaskNotice, _ session: PostgresSession) throws {
        _ = try session.execute(
            Statement(
                """
                insert into agent_gateway.deliveries (webhook, position, event, type, body) values ($1, $2, $3, $4, $5)
                on conflict do nothing
                """, name: "tell of a task"),
            [
                .text(one.id), .int(Int64(event.position)), .text(event.header.id.text), .text(notice.type),
                .text(String(decoding: try notice.body(one.form), as: UTF8.self)),
            ])
    }
}
