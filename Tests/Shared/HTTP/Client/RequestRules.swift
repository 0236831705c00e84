import HTTP
import Testing

@testable import HTTPClient

@Suite struct RequestRules {
    private func refusal(_ request: ClientRequest) -> String? {
        do throws(HTTPClientError) {
            try request.validate()
            return nil
        } catch {
            guard case .invalidRequest(let text) = error else { return "\(error)" }
            #expect(!error.isRetriable && !error.mayHaveReachedServer)
            return text
        }
    }

    @Test(arguments: [
        "http://a", "https://a/", "HTTP://A:80/x?y=%20#z", "http://[::1]:7400/", "http://a?x", "http://a/b:c@d",
    ])
    func aGoodURLPasses(url: String) {
        #expect(refusal(ClientRequest(url: url)) == nil)
    }

    @Test(arguments: [
        "", "/path", "a", "ftp://a/", "file:///etc/passwd", "http:/a", "http:a", "http://", "http:///x", "http://:80/", "http://u:p@a/",
        "http://good\\@evil/", "http://a/ b", "http://a/\r\nX: y", "http://a/\u{0}", "http://a/é", "http://a/\u{7F}", "http://a/<x>",
        "javascript:alert(1)//http://", "http://a/" + String(repeating: "x", count: 16_384),
    ])
    func aBadURLIsRefused(url: String) {
        #expect(refusal(ClientRequest(url: url)) != nil)
    }

    @Test(arguments: ["", "GE T", "GET\r\n", "G\u{E9}T", "CONNECT", String(repeating: "A", count: 33)])
    func aBadMethodIsRefused(method: String) {
        #expect(refusal(ClientRequest(method: method, url: "http://a")) != nil)
    }

    @Test(arguments: [
        ("", "x"), ("A B", "x"), ("A:", "x"), ("A\r\nB", "x"), ("é", "x"), ("A", "x\r\nB: y"), ("A", "x\ny"), ("A", "x\u{0}"),
        ("A", "x\u{7F}"),
        ("Content-Length", "3"), ("transfer-encoding", "chunked"), ("Connection", "close"), ("Expect", "100-continue"), ("TE", "trailers"),
    ])
    func aBadFieldIsRefused(name: String, value: String) {
        #expect(refusal(ClientRequest(url: "http://a", headers: Headers([Header(name, value)]))) != nil)
    }

    @Test func fieldsOfAnyTextPass() {
        #expect(refusal(ClientRequest(url: "http://a", headers: ["X": "é\t\"x\"", "Y": "", "x-!#$%&'*+-.^_`|~": "1"])) == nil)
    }

    @Test func aHeadRequestCarriesNoBody() {
        #expect(refusal(ClientRequest(method: "HEAD", url: "http://a", body: .bytes([1]))) != nil)
        #expect(refusal(ClientRequest(method: "HEAD", url: "http://a")) == nil)
    }

    @Test func aRefusalShowsHostileTextSafely() {
        let text = refusal(ClientRequest(url: "http://a/\u{1B}[2J\r\n")) ?? ""
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 }, "\(text.debugDescription)")
    }

    @Test func aURLIsTakenApart() throws {
        let parts = try #require(URLParts("HTTPS://Host.Example:8443/a/../b?c=d/e#f"))
        #expect(parts.scheme == "https" && parts.authority == "host.example:8443" && parts.target == "/a/../b?c=d/e")
        #expect(URLParts("http://a?x=1")?.target == "/?x=1")
        #expect(URLParts("http://a")?.target == "/")
    }

    @Test(arguments: [("GET", true), ("PUT", true), ("DELETE", true), ("HEAD", true), ("POST", false), ("PATCH", false)])
    func theMethodSaysWhetherARequestMayBeRepeated(method: String, mayBe: Bool) {
        var request = ClientRequest(method: method, url: "http://a")
        #expect(request.mayBeRepeated == mayBe)
        request.headers.set("idempotency-key", "k")
        #expect(request.mayBeRepeated)
        request.isIdempotent = false
        #expect(!request.mayBeRepeated)
    }

    @Test func durationsRoundUpToMilliseconds() {
        #expect(Duration.nanoseconds(1).milliseconds == 1)
        #expect(Duration.milliseconds(1500).milliseconds == 1500)
        #expect(Duration.seconds(-1).milliseconds == 0)
        #expect(Duration.seconds(Int64.max).milliseconds == 1_000_000_000_000)
    }
}
