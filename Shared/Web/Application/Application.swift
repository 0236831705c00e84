public import HTTP
public import Telemetry

/// Routes of one or more services, and everything that all routes have in common, as one HTTP handler.
///
///     let ledger = Mount("ledger", routes: [
///         Route(
///             .get, "/log/v1/streams/{kind}/{id}", operation: "readStream", summary: "The events of one stream.",
///             access: .scope("log:read"),
///             query: Page.parameters(limit: 1...500),
///             replies: [.json(200, "A page of events.", Page.schema(eventSchema))],
///             problems: [.notFound]
///         ) { context in
///             let page = Page(context)
///             let (items, next) = try await store.read(context.path["kind"], context.path["id"], page.cursor, page.limit)
///             return page.response(items, next: next)
///         },
///         Route(
///             .post, "/v1/holds", operation: "placeHold", summary: "Sets money aside for a task.",
///             access: .scope("holds:write"),
///             body: .json(.object(.required("account", .text(.stream)), .required("amount", .text(.decimal)))),
///             idempotency: .required,
///             replies: [.json(201, "The hold.", holdSchema)],
///             problems: [insufficientFunds]
///         ) { context in
///             let hold = try await holds.place(context.json, for: context.caller, as: context.requiredCommand)
///             return .json(hold.json, status: 201)
///         },
///     ], checks: [ReadinessCheck("database") { await pool.isHealthy ? .ready : .notReady("no connection") }])
///
///     let application = try Application(
///         name: "OpenLedger", version: "1.0", mounts: [ledger], authenticator: authenticator, log: log, metrics: metrics)
///     let server = try await application.serve([.ipv4("127.0.0.1", port: 7401)])
///
/// Before a handler runs the application has, in this order: given the request an id and a trace, found the route (404, 405), authenticated
/// (401, 429) and authorised (403), checked path and query (400), read and checked the body (413, 415, 400), read the Idempotency-Key
/// (400) and kept a second run of the same command out (409). Whatever a handler throws becomes an answer. Every answer is
/// counted and logged. /healthz, /readyz, /metrics, /openapi.json and /problems/{code} are added.
public struct Application: Sendable {
    /// Every route, those for operators included.
    public let routes: [Route]
    /// The OpenAPI 3.1 document that describes them, as served.
    public let openAPI: [UInt8]
    let pipeline: Pipeline

    /// - Parameters:
    ///   - name: the title of the OpenAPI document.
    ///   - version: the product's version, in the same place.
    /// - Throws: `RouteError` for routes that contradict each other or themselves.
    public init(
        name: String, version: String, mounts: [Mount], authenticator: Authenticator, log: Logger, metrics: Metrics,
        options: ApplicationOptions = ApplicationOptions()
    ) throws(RouteError) {
        let operations = OperationsRoutes(
            checks: mounts.flatMap { mount in mount.checks.map { (mount.name, $0) } }, metrics: metrics,
            metricsAccess: options.metricsAccess, types: ProblemType.common + mounts.flatMap { $0.routes.flatMap(\.problems) },
            checkLimit: options.readinessLimit
        ).routes
        // The document describes the route that serves it as well, so it is written with that route still empty.
        let described = mounts.map { ($0.name, $0.routes) } + [("operations", operations + [OperationsRoutes.document([])])]
        openAPI = OpenAPIDocument(name: name, version: version, groups: described).bytes
        routes = mounts.flatMap(\.routes) + operations + [OperationsRoutes.document(openAPI)]
        pipeline = try Pipeline(
            routes: routes, authenticator: authenticator, log: log, metrics: metrics, options: options,
            otherwise: mounts.reduce(into: [:]) { $0.merge($1.otherwise) { first, _ in first } })
    }

    /// Answers a request: for a server, for a transport within the process, for a test.
    public var handler: Handler {
        let pipeline = pipeline
        return { request in try await pipeline.answer(request) }
    }

}
