import Foundation
import HTTP
import JSON
import Telemetry
import Testing

@testable import Web

@Suite struct OpenAPITests {
    @Test func theDocumentHasEveryRouteWithItsRules() async throws {
        let test = try TestApplication()
        let answer = try await test.send("GET", "/openapi.json")
        #expect(answer.bytes == test.application.openAPI)
        let paths = try #require(answer.json["paths"])
        for route in test.application.routes {
            let operation = try #require(paths[route.pattern]?[route.method.rawValue.lowercased()], "\(route.operation)")
            #expect(operation["operationId"]?.stringValue == route.operation)
            let security = try #require(operation["security"]?.arrayValue)
            #expect(security.isEmpty == (route.access == .public))
            if case .scopes(let scopes) = route.access {
                #expect(security[0]["token"] == .array(scopes.sorted().map { .string($0) }))
            }
            let declared = Set(route.replies.map(\.status) + route.allProblems.map(\.status)).map(String.init)
            #expect(Set(operation["responses"]?.objectValue?.keys ?? []) == Set(declared), "\(route.operation)")
        }
        let count = paths.objectValue?.members.reduce(0) { $0 + ($1.value.objectValue?.count ?? 0) }
        #expect(count == test.application.routes.count)
        let order = try #require(paths["/v1/orders"]?["post"])
        #expect(order["requestBody"]?["content"]?["application/json"]?["schema"]?["properties"]?["item"]?["maxLength"] == 32)
        let parameters = try #require(order["parameters"]?.arrayValue)
        #expect(parameters.map { $0["name"] } == ["Idempotency-Key"] && parameters[0]["required"] == true)
        #expect(paths["/v1/items/{id}"]?["get"]?["responses"]?["404"]?["content"]?["application/problem+json"] != nil)
    }

    private static let python = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_PYTHON"]

    @Test(.enabled(if: python != nil, "needs OPENLEDGER_TEST_PYTHON: a Python that has openapi-spec-validator"))
    func anIndependentValidatorAcceptsTheDocument() async throws {
        let python = try #require(Self.python)
        let test = try TestApplication()
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("openapi-\(UUID().uuidString).json").path
        try Data(test.application.openAPI).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-m", "openapi_spec_validator", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(output)")
    }

    @Test func whatIsNotDeclaredIsAViolation() async throws {
        func application(_ answer: Response, method: Web.Method = .get) throws -> OpenAPIConformance {
            let route = Route(
                method, "/x", operation: "x", summary: "x", access: .public,
                replies: [.json(200, "x", .object(.required("a", .boolean))), .empty(204, "x")]
            ) { _ in answer }
            return try TestApplication(extra: [route]).conformance
        }
        let wrong: [Response] = [
            .json(["a": 1]), .json(["b": true]), .json(["a": true], status: 201), Response(text: "x"), .json(bytes: Array("{".utf8)),
            Response(status: 204, body: .bytes([1])), Response(status: 404, headers: ["Content-Type": "application/problem+json"]),
        ]
        for response in wrong {
            let conformance = try application(response)
            _ = try await conformance.handler(Request(target: "/x"))
            #expect(!conformance.violations.isEmpty, "\(response)")
        }
        let right = try application(.json(["a": true]))
        _ = try await right.handler(Request(target: "/x"))
        #expect(right.violations == [] && right.statuses == ["x": [200]])
    }

    @Test func aReplysHeaderIsInTheDocumentAndWhoeverElseSendsItMustDeclareIt() async throws {
        func route(_ path: String, _ reply: Reply) -> Route {
            Route(.get, path, operation: String(path.dropFirst()), summary: "x", access: .public, replies: [reply]) { _ in
                Response(status: 204, headers: ["How-Far": "7"])
            }
        }
        let told = Reply.empty(204, "x").carrying((name: "How-Far", summary: "So far.")).carrying((name: "How-Far", summary: "Again."))
        let test = try TestApplication(extra: [route("/told", told), route("/silent", .empty(204, "x"))])
        let paths = try #require(try await test.send("GET", "/openapi.json").json["paths"])
        let headers = paths["/told"]?["get"]?["responses"]?["204"]?["headers"]
        #expect(headers == ["How-Far": ["description": "So far.", "schema": ["type": "string"]]])
        #expect(paths["/silent"]?["get"]?["responses"]?["204"]?["headers"] == nil)
        #expect(try await test.send("GET", "/told").status == 204 && test.conformance.violations.isEmpty)
        #expect(try await test.send("GET", "/silent").status == 204)
        #expect(test.conformance.violations == ["silent: 204: the header How-Far is not declared"])
    }

    @Test func aProblemTypeThatIsNotDeclaredIsAViolation() async throws {
        let route = Route(.get, "/x", operation: "x", summary: "x", access: .public, replies: [.empty(204, "x")], problems: [.notFound]) {
            _ in
            throw Problem(ProblemType("of-another-kind", 404, "x"), "x")
        }
        let test = try TestApplication(extra: [route])
        #expect(try await test.send("GET", "/x").status == 404)
        #expect(test.conformance.violations == ["x: 404: the problem type /problems/of-another-kind is not declared"])
    }
}
