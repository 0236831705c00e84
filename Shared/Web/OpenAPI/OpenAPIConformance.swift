public import HTTP
internal import JSON
internal import Synchronization
internal import Threads

/// Checks in a test run that an application answers as its OpenAPI document says.
///
///     let conformance = OpenAPIConformance(application)
///     let response = try await conformance.handler(request)   // or give it to a server or a transport within the process
///     #expect(conformance.violations.isEmpty)
///
/// A violation is a status that the route does not declare, a problem whose type it does not declare, a body of another media type, JSON
/// that does not fit the declared schema, and a header field that other routes declare and this one does not.
public final class OpenAPIConformance: Sendable {
    private struct Seen {
        var violations: [String] = []
        var statuses: [String: Set<Int>] = [:]
    }

    private let application: Application
    private let router: Router?
    /// Those that some route declares.
    private let headerNames: [String]
    private let seen = Lock(Seen())

    /// Watches an application.
    public init(_ application: Application) {
        self.application = application
        headerNames = Set(application.routes.flatMap(\.replies).flatMap(\.headers).map(\.name)).sorted()
        router = try? Router(application.routes.map { ($0.method, $0.pattern) })
    }

    /// The application's handler, watched.
    public var handler: Handler {
        { [self] request in
            let response = try await application.handler(request)
            check(request, response)
            return response
        }
    }

    /// What was wrong so far, each with its operation.
    public var violations: [String] { seen.withLock { $0.violations } }

    /// The statuses that each operation has answered with so far.
    public var statuses: [String: Set<Int>] { seen.withLock { $0.statuses } }

    /// Checks one answer.
    public func check(_ request: Request, _ response: Response) {
        let route = route(of: request)
        let name = route?.operation ?? "\(request.method) \(request.path)"
        let faults = faults(request, response, route).map { "\(name): \(response.status): \($0)" }
        let status = response.status
        seen.withLock { seen in
            seen.violations += faults
            seen.statuses[name, default: []].insert(status)
        }
    }

    private func route(of request: Request) -> Route? {
        guard case .route(let index, _)? = try? router?.find(method: request.method, path: request.path) else { return nil }
        return application.routes[index]
    }

    private func faults(_ request: Request, _ response: Response, _ route: Route?) -> [String] {
        let type = (response.headers["Content-Type"] ?? "").prefix { $0 != ";" }
        if let route, let reply = route.replies.first(where: { $0.status == response.status && ($0.type ?? "") == type }) {
            let headers = headerNames.filter { name in response.headers[name] != nil && !reply.headers.contains { $0.name == name } }
            return headers.map { "the header \($0) is not declared" } + (request.method == "HEAD" ? [] : faults(body: response.body, reply))
        }
        let problems = route?.allProblems ?? [.badPath, .notFound, .methodNotAllowed]
        guard problems.contains(where: { $0.status == response.status }) else {
            return ["this status with type \"\(type)\" is not declared"]
        }
        guard type == (route?.errors ?? .problem).type else { return ["an error of type \"\(type)\" is not declared"] }
        guard type == "application/problem+json", case .bytes(let bytes) = response.body else { return [] }
        guard let document = try? JSON.parse(bytes) else { return ["the problem is no JSON"] }
        var faults = Problem.schema.faults(in: document).map { "\($0.field) \($0.detail)" }
        let address = document["type"]?.stringValue ?? ""
        if !problems.contains(where: { $0.address == address && $0.status == response.status }) {
            faults.append("the problem type \(address) is not declared")
        }
        return faults
    }

    private func faults(body: Response.Body, _ reply: Reply) -> [String] {
        guard case .bytes(let bytes) = body else {
            return reply.type == nil ? ["a body was not declared"] : []
        }
        guard let schema = reply.schema else { return reply.type == nil && !bytes.isEmpty ? ["a body was not declared"] : [] }
        do {
            return schema.faults(in: try JSON.parse(bytes, limits: JSONLimits(depth: 64, bytes: 64 << 20, items: 10_000_000))).map {
                "\($0.field) \($0.detail)"
            }
        } catch {
            return ["the body is no JSON: \(error)"]
        }
    }
}
