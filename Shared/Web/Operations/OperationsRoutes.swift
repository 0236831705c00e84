internal import HTTP
internal import JSON
internal import Telemetry

/// The routes that every application has for those who run it.
struct OperationsRoutes {
    let checks: [(mount: String, check: ReadinessCheck)]
    let metrics: Metrics
    let metricsAccess: Access
    let types: [ProblemType]
    let checkLimit: Duration

    /// All but the OpenAPI document's own route.
    var routes: [Route] { [healthz, readyz, metricsRoute, problemRoute] }

    private var healthz: Route {
        Route(
            .get, "/healthz", operation: "getHealth", summary: "Whether the process is alive.", access: .public,
            replies: [.json(200, "It is.", .openObject(.required("status", .oneOf("alive"))))]
        ) { _ in .json(["status": "alive"], headers: ["Cache-Control": "no-store"]) }
    }

    private var readyz: Route {
        let state = Schema.openObject(
            .required("status", .oneOf("ready", "not-ready")),
            .required(
                "checks",
                .list(
                    .openObject(
                        .required("name", .text), .required("service", .text), .required("ready", .boolean),
                        .optional("reason", .text(0...4096))))))
        return Route(
            .get, "/readyz", operation: "getReadiness", summary: "Whether every part is ready to take requests, and what is not.",
            access: .public, replies: [.json(200, "Ready.", state), .json(503, "Not ready; the reasons stand with the checks.", state)]
        ) { _ in await readiness() }
    }

    private func readiness() async -> Response {
        let states = await withTaskGroup(of: (Int, ReadinessCheck.State).self) { group in
            for (index, entry) in checks.enumerated() { group.addTask { (index, await entry.check.result(within: checkLimit)) } }
            return await group.reduce(into: [Int: ReadinessCheck.State]()) { $0[$1.0] = $1.1 }
        }
        let list: [JSONValue] = checks.enumerated().map { index, entry in
            var object: JSONObject = ["name": .string(entry.check.name), "service": .string(entry.mount)]
            let (isReady, reason) = (states[index] ?? .notReady("not asked")).told
            object["ready"] = .bool(isReady)
            if let reason { object["reason"] = .string(String(reason.prefix(1024))) }
            return .object(object)
        }
        let ready = states.values.allSatisfy(\.told.isReady)
        return .json(
            ["status": .string(ready ? "ready" : "not-ready"), "checks": .array(list)], status: ready ? 200 : 503,
            headers: ["Cache-Control": "no-store"])
    }

    private var metricsRoute: Route {
        let type = "text/plain; version=0.0.4; charset=utf-8"
        return Route(
            .get, "/metrics", operation: "getMetrics", summary: "Metrics for Prometheus.", access: metricsAccess,
            replies: [.content(200, "Text exposition format 0.0.4.", type: "text/plain")]
        ) { _ in Response(headers: ["Content-Type": type], body: .bytes(Array(metrics.render().utf8))) }
    }

    private var problemRoute: Route {
        let known = Dictionary(types.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
        let schema = Schema.openObject(.required("type", .text), .required("title", .text), .required("status", .integer(400...599)))
        return Route(
            .get, "/problems/{code}", operation: "getProblemType", summary: "What a problem's type means.", access: .public,
            replies: [.json(200, "The type.", schema)], problems: [.notFound]
        ) { context in
            guard let type = known[context.path["code"]] else { throw Problem(.notFound, "no problem has this type", field: "code") }
            return .json(["type": .string(type.address), "title": .string(type.title), "status": .int(Int64(type.status))])
        }
    }

    /// The route of the document that describes all routes, this one too.
    static func document(_ bytes: [UInt8]) -> Route {
        Route(
            .get, "/openapi.json", operation: "getOpenAPI", summary: "This document: OpenAPI 3.1.", access: .public,
            replies: [.json(200, "The document.", .any)]
        ) { _ in .json(bytes: bytes) }
    }
}
