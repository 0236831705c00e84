internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Postgres
internal import ServiceShell
internal import Web

/// The service's REST interface.
struct DatanetRoutes: Sendable {
    let core: DatanetCore

    var all: [Route] {
        datanetRoutes + memberRoutes + proposalRoutes + reviewRoutes + snapshotRoutes + exportRoutes + accessRoutes + searchRoutes
            + rulingRoutes
    }

    static let problems: [ProblemType] =
        [.notFound, .forbidden, .conflict, .unprocessable, .unavailable] + DecisionError.problemTypes
    static let id: Schema = .text(1...200)
    static let amount: Schema = .object(.required("amount", .text(.decimal)), .required("asset", .text(3...19)))

    /// What a caller may read, and what the answer is.
    func read(
        _ pattern: String, operation: String, summary: String, access: Access = .public, query: [QueryParameter] = [],
        replies: [Reply]? = nil,
        _ answer: @escaping @Sendable (RequestContext) async throws -> Response
    ) -> Route {
        Route(
            .get, pattern, operation: operation, summary: summary, access: access, query: query,
            headers: [Route.positionHeader],
            replies: replies ?? [.json(200, "What was asked for.", .openObject())], problems: Self.problems, handler: answer)
    }

    /// A command: decided, appended, and answered with the data of the event that it made.
    func command<Payload: EventData>(
        _ pattern: String, operation: String, summary: String, scope: String = "datanets:write", body: Schema, gives: Payload.Type,
        _ decide: @escaping @Sendable (RequestContext) async throws -> Outcome
    ) -> Route {
        Route(
            .post, pattern, operation: operation, summary: summary, access: .scope(scope), body: .json(body), idempotency: .required,
            replies: [.json(201, "What was decided.", .openObject())], problems: Self.problems
        ) { context in
            .json(try await decide(context).first(Payload.self).json, status: 201)
        }.writing()
    }

    /// Waits for the rows when the caller wants to read its own writes.
    func rows(_ context: RequestContext, _ statement: Statement, _ values: [PostgresValue]) async throws -> Rows {
        try await context.waited(by: ReadWait(rows: [core.projection]))
        do { return try await core.pool.execute(statement, values) } catch let error as PoolError {
            throw Problem(.unavailable, "the database is busy: \(error)", headers: ["Retry-After": "1"])
        }
    }

    /// A page of rows in the order of their positions.
    func page(
        _ context: RequestContext, list: String, newestFirst: Bool = false, _ statement: String, _ values: [PostgresValue],
        _ json: (Row) throws -> JSONValue
    ) async throws -> Response {
        let page = Page(context)
        let codec = CursorCodec(list: list)
        let start: Int64 = newestFirst ? .max : -1
        let after = try page.cursor.map { try codec.decode($0) }.flatMap { $0.first }.flatMap { Int64($0) } ?? start
        let number = values.count
        let sql =
            statement
            + " and position \(newestFirst ? "<" : ">") $\(number + 1) order by position \(newestFirst ? "desc" : "") limit $\(number + 2)"
        let found = try await rows(context, Statement(sql), values + [.int(after), .int(Int64(page.limit + 1))])
        let shown = found.prefix(page.limit)
        let next = found.count > page.limit ? try shown.last.map { codec.encode([String(try $0.int("position"))]) } : nil
        return page.response(try shown.map(json), next: next)
    }

    /// Words of the caller's, sealed; the commitment goes into the event.
    func write(_ text: String, _ context: RequestContext) async throws -> Digest {
        let command = try context.requiredCommand
        return try await core.writings.put(text, by: try context.caller.subject, as: command.id)
    }

    static func policy(_ context: RequestContext) throws -> DatanetPolicy {
        try context.decode { try DatanetPolicy($0.object().object("policy")) }
    }

    static func string(_ context: RequestContext, _ name: String) -> String { context.json[name]?.stringValue ?? "" }

    static func date(_ row: Row, _ column: String) throws -> JSONValue {
        .string(Timestamp(microseconds: try row.timestamp(column)).description)
    }

    static func parsed(_ row: Row, _ column: String) throws -> JSONValue { try JSON.parse(try row.bytes(column)) }

    static func digest(_ row: Row, _ column: String) throws -> JSONValue {
        guard let digest = Digest(try row.bytes(column)) else { throw Problem(.internal, "a hash of another length") }
        return .digest(digest)
    }
}
