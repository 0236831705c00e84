internal import HTTP
internal import Identity
internal import JSON
internal import Telemetry

/// What happens to every request, in the order of `answer`. Each step is a function; there is no other place where steps are added.
struct Pipeline: Sendable {
    private let routes: [Route]
    private let manners: [Manners]
    private let readers: [BodyReader]
    private let router: Router
    private let gate: Gate
    private let commands = CommandsInFlight()
    private let log: Logger
    private let record: RequestRecord

    init(routes: [Route], authenticator: Authenticator, log: Logger, metrics: Metrics, options: ApplicationOptions) throws(RouteError) {
        try RouteCheck.check(routes)
        self.routes = routes
        manners = routes.map { Manners(deadline: $0.deadline, isBrief: $0.isBrief) }
        readers = routes.map { route in
            if case .none = route.idempotency { return BodyReader(rule: route.body, needsDigest: false) }
            return BodyReader(rule: route.body, needsDigest: true)
        }
        router = try Router(routes.map { ($0.method, $0.pattern) })
        gate = Gate(authenticator: authenticator, metrics: metrics, options: options)
        self.log = log
        record = RequestRecord(patterns: routes.map(\.pattern), metrics: metrics, log: options.accessLog ? log : .silent)
    }

    /// What the server is to know of a request before it is answered.
    struct Manners: Sendable {
        let deadline: Duration?
        let isBrief: Bool
    }

    /// That of the route of a request; nil where nothing takes it.
    func manners(_ method: String, _ target: String) -> Manners? {
        let end = target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        guard case .route(let index, _)? = try? router.find(method: method, path: target[..<end]) else { return nil }
        return manners[index]
    }

    /// - Throws: `CancellationError` or `Disconnected` when there is nobody left to answer; nothing else.
    func answer(_ request: Request) async throws -> Response {
        var exchange = Exchange(request)
        let response: Response
        do {
            response = try await route(request, &exchange)
        } catch {
            if Task.isCancelled || error is Disconnected {
                record.abandoned(exchange)
                throw error
            }
            response = refuse(error, exchange)
        }
        return record.finished(exchange, finish(response, exchange))
    }

    private func route(_ request: Request, _ exchange: inout Exchange) async throws -> Response {
        switch try router.find(method: request.method, path: request.path) {
        case .nothing: throw Problem(.notFound, "nothing lies at this path")
        case .otherMethods(let allow):
            let list = allow.joined(separator: ", ")
            throw Problem(.methodNotAllowed, "this path takes \(list), not \(request.method.prefix(32))", headers: ["Allow": list])
        case .route(let index, let path):
            exchange.route = index
            let route = routes[index]
            let admission = try await gate.admit(request, route)
            exchange.caller = admission.caller
            try check(path, route)
            let query = try Query(request.query, declared: route.query)
            let key = try idempotencyKey(request, route)
            let body = try await readers[index].read(request)
            try admission.seal?.check(body.bytes)
            let context = context(request, exchange, route, path, query, key, body)
            let response = try await run(route, context)
            return request.method == "HEAD" ? headOnly(response) : response
        }
    }

    private func check(_ path: PathParameters, _ route: Route) throws(Problem) {
        for (name, value) in path.all {
            let schema = route.path[name] ?? Self.anyParameter
            if let fault = schema.fault(inText: value) { throw Problem(.badPath, "\(name) in the path \(fault)", field: name) }
        }
    }

    private static let anyParameter = Schema.text(1...255)

    private func idempotencyKey(_ request: Request, _ route: Route) throws(Problem) -> IdempotencyKey? {
        let given = request.headers.all("Idempotency-Key")
        switch route.idempotency {
        case .none: return nil
        case .required where given.isEmpty:
            throw Problem(
                .keyMissing, "send Idempotency-Key with a value of your own for each command, so that it can be repeated safely",
                field: "Idempotency-Key")
        case .required, .optional:
            guard given.count <= 1 else { throw Problem(.keyInvalid, "Idempotency-Key was given more than once", field: "Idempotency-Key") }
            return try given.first.map { value throws(Problem) in try IdempotencyKey(value) }
        }
    }

    private func context(
        _ request: Request, _ exchange: Exchange, _ route: Route, _ path: PathParameters, _ query: Query, _ key: IdempotencyKey?,
        _ body: BodyReader.Body
    ) -> RequestContext {
        var command: CommandIdentity?
        if let key, let digest = body.digest {
            command = CommandIdentity(caller: exchange.caller, key: key, body: digest)
        }
        return RequestContext(
            request: request, requestID: exchange.id, trace: exchange.trace, verifiedCaller: exchange.caller, path: path, query: query,
            deadline: route.deadline.map { exchange.start + $0 }, serviceLog: log, json: body.json, bytes: body.bytes,
            stream: body.stream, command: command)
    }

    private func run(_ route: Route, _ context: RequestContext) async throws -> Response {
        guard let command = context.command else { return try await runBounded(route, context) }
        return try await commands.run(command.id) { try await runBounded(route, context) }
    }

    private func runBounded(_ route: Route, _ context: RequestContext) async throws -> Response {
        guard let deadline = route.deadline else { return try await route.handler(context) }
        return try await Deadline.run(deadline, { try await route.handler(context) }) {
            throw Problem(.deadlineExceeded, "no answer within \(deadline); ask again", headers: ["Retry-After": "1"])
        }
    }

    /// What HEAD gets of GET's answer (RFC 9110 §9.3.2). A stream is never begun.
    private func headOnly(_ response: Response) -> Response {
        guard case .stream = response.body else { return response }
        return Response(status: response.status, headers: response.headers)
    }

    private func refuse(_ error: any Error, _ exchange: Exchange) -> Response {
        let problem: Problem
        if let known = Problem.of(error) {
            problem = known
        } else {
            // The words of an unforeseen error may hold anything: they go to the log, the caller gets the id to ask by.
            exchange.logger(log).error("unhandled error", ["error": .describing(String(reflecting: error))])
            problem = Problem(.internal, "something went wrong on our side; it is logged under the request id")
        }
        let style = exchange.route.map { routes[$0].errors } ?? .problem
        return style.render(problem, ErrorStyle.Place(instance: String(exchange.path), requestID: exchange.id, host: exchange.host))
    }

    private func finish(_ response: Response, _ exchange: Exchange) -> Response {
        var response = response
        response.headers.set("X-Request-Id", exchange.id)
        response.headers.set("X-Content-Type-Options", "nosniff")
        if exchange.caller != nil || response.status >= 400, response.headers["Cache-Control"] == nil {
            // What one caller may see no cache may show to another.
            response.headers.set("Cache-Control", "no-store")
        }
        return response
    }
}
