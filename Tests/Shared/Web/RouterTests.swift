import Testing

@testable import Web

@Suite struct RouterTests {
    private func router(_ routes: (Method, String)...) throws -> Router { try Router(routes.map { (method: $0.0, pattern: $0.1) }) }

    private func find(_ router: Router, _ method: String, _ path: String) throws -> (Int, [String])? {
        guard case .route(let index, let parameters) = try router.find(method: method, path: path[...]) else { return nil }
        return (index, parameters.all.map { "\($0)=\($1)" })
    }

    @Test func literalWinsOverParameterWinsOverRest() throws {
        let router = try router((.get, "/a/{x...}"), (.get, "/a/{x}"), (.get, "/a/b"), (.get, "/"))
        #expect(try find(router, "GET", "/a/b")?.0 == 2)
        #expect(try find(router, "GET", "/a/c")?.1 == ["x=c"])
        #expect(try find(router, "GET", "/a/c/d")?.1 == ["x=c/d"])
        #expect(try find(router, "GET", "/")?.0 == 3)
        #expect(try find(router, "GET", "/a") == nil)
    }

    @Test func aChoiceThatLeadsNowhereIsTakenBack() throws {
        let router = try router((.get, "/a/b/c"), (.get, "/a/{x}/d"), (.get, "/{y...}"))
        #expect(try find(router, "GET", "/a/b/d")?.1 == ["x=b"])
        #expect(try find(router, "GET", "/a/b/e")?.1 == ["y=a/b/e"])
    }

    @Test func headIsAnsweredByGet() throws {
        let router = try router((.get, "/a"), (.post, "/b"))
        #expect(try find(router, "HEAD", "/a")?.0 == 0)
        #expect(try find(router, "HEAD", "/b") == nil)
    }

    @Test func anotherMethodIsToldFromNothing() throws {
        let router = try router((.get, "/a/{x}"), (.delete, "/a/{x}"), (.post, "/a/b"))
        guard case .otherMethods(let allow) = try router.find(method: "PATCH", path: "/a/b") else {
            Issue.record("not found")
            return
        }
        #expect(allow == ["DELETE", "GET", "HEAD", "POST"])
        guard case .nothing = try router.find(method: "GET", path: "/b") else {
            Issue.record("found")
            return
        }
    }

    @Test(arguments: ["/a/", "//a", "/a//b", "//", "/%61/"])
    func emptySegmentsAndClosingSlashesAreNotFound(path: String) throws {
        let router = try router((.get, "/a"), (.get, "/a/{x...}"), (.get, "/"))
        #expect(try find(router, "GET", path) == nil)
    }

    @Test(arguments: [("/a/x%20y", "x y"), ("/a/%C3%A9", "é"), ("/a/%2541", "%41"), ("/a/a+b", "a+b"), ("/a/%7e", "~"), ("/%61/z", "z")])
    func segmentsAreDecodedOnce(path: String, value: String) throws {
        let router = try router((.get, "/a/{x}"))
        #expect(try find(router, "GET", path)?.1 == ["x=\(value)"])
    }

    @Test(arguments: [
        "/a/%00", "/a%2Fb", "/a%2fb/c", "/a/b%2F..", "/a/..%2Fb", "/a/b%2f%2e%2e%2fc", "/a/%2e%2Fb", "/a/..", "/a/.", "/a/%2e%2E", "/a/%2e",
        "/../a", "/a/%", "/a/%4", "/a/%zz", "/a/%ff", "/a/%C0%AF",
        "/a/%ED%A0%80", "/a/%0a", "/a/%1b", "/a/%7f", "a", "*", "/a/\u{e9}", "/a/%+1", "/a/%c3",
    ])
    func hostileEncodingsAreRefused(path: String) throws {
        let router = try router((.get, "/a/{x...}"))
        let problem = #expect(throws: Problem.self) { try router.find(method: "GET", path: path[...]) }
        #expect(problem?.type == .badPath)
    }

    @Test(arguments: ["/b/x%2Fy", "/b/x%2fy", "/b/x%2Fy/z", "/c%2Fd"])
    func anEncodedSlashFitsNoSingleSegment(path: String) throws {
        let router = try router((.get, "/b/{x}"), (.get, "/b/{x}/z"), (.get, "/b/{x}/{y}"), (.get, "/c/d"))
        let problem = #expect(throws: Problem.self) { try router.find(method: "GET", path: path[...]) }
        #expect(problem?.type == .badPath)
    }

    @Test(arguments: [("/a/b%2Fc", "b/c"), ("/a/b%2fc/d", "b/c/d"), ("/a/b/c%2Fd", "b/c/d"), ("/a/b%252Fc", "b%2Fc")])
    func whereTheRestIsTakenAnEncodedSlashIsASlash(path: String, value: String) throws {
        let router = try router((.get, "/a/{x...}"), (.get, "/a/{x}"), (.get, "/a/{x}/{y}/z"))
        #expect(try find(router, "GET", path)?.1 == ["x=\(value)"])
    }

    @Test(arguments: ["/a/%2F", "/a/b%2F", "/a/%2Fb", "/a/b%2F%2Fc"])
    func anEmptyPartBesideAnEncodedSlashIsNotFound(path: String) throws {
        #expect(try find(try router((.get, "/a/{x...}")), "GET", path) == nil)
    }

    @Test func pathsOfTooManySegmentsAreRefused() throws {
        let router = try router((.get, "/{x...}"))
        #expect(try find(router, "GET", String(repeating: "/a", count: 64)) != nil)
        #expect(throws: Problem.self) { try router.find(method: "GET", path: String(repeating: "/a", count: 65)[...]) }
    }

    @Test(arguments: ["a", "/a/", "/a//b", "/{}", "/{x}/{x}", "/{x...}/a", "/a b", "/a/..", "/{x y}", "/é"])
    func patternsThatMakeNoSenseAreRefused(pattern: String) {
        #expect(throws: RouteError.self) { try router((.get, pattern)) }
    }

    @Test func oneMethodAndPathHasOneRoute() {
        #expect(throws: RouteError.twice("GET /a/{y}")) { try router((.get, "/a/{x}"), (.get, "/a/{y}")) }
    }

    @Test func everySegmentSurvivesEncodingAndRouting() throws {
        let router = try router((.get, "/a/{x}/{y}"))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let values = (0..<2).map { _ in
                "v"
                    + String(
                        String.UnicodeScalarView(
                            (0..<Int.random(in: 0..<12, using: &generator)).compactMap { _ in
                                let scalar = Unicode.Scalar(UInt32.random(in: 0x20...0x3000, using: &generator))
                                return scalar.flatMap { $0 == "/" || $0.value == 0x7f ? nil : $0 }
                            }))
            }
            let path = "/a/" + values.map { PercentEncoding.encode($0) }.joined(separator: "/")
            let found = try find(router, "GET", path)
            #expect(found?.1 == ["x=\(values[0])", "y=\(values[1])"], "\(path)")
        }
    }
}
