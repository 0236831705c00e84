import HTTP
import Telemetry
import Testing

@testable import Web

@Suite struct AccessTests {
    @Test(arguments: ["Bearer abc", "bearer abc", "BEARER abc"])
    func aTokenIsReadWhateverTheSchemesCase(value: String) throws {
        #expect(try Credential(["Authorization": value]) == .token("abc"))
    }

    @Test func anAPIKeyIsReadFromBothHeaders() throws {
        #expect(try Credential(["Authorization": "Bearer olk_x"]) == .apiKey("olk_x"))
        #expect(try Credential(["X-API-Key": "olk_x"]) == .apiKey("olk_x"))
        #expect(try Credential([:]) == nil)
    }

    @Test(
        arguments: [
            ["Authorization": "Basic YTpi"], ["Authorization": "Bearer"], ["Authorization": "Bearer "], ["Authorization": ""],
            ["Authorization": "Bearer a b"], ["Authorization": "Bearer a\u{7f}"], ["X-API-Key": "abc"], ["X-API-Key": ""],
            ["Authorization": "Bearer a", "X-API-Key": "olk_a"], ["Authorization": "Bearer a", "authorization": "Bearer b"],
        ] as [Headers])
    func whatIsNoCredentialOrTwoIsRefused(headers: Headers) {
        let problem = #expect(throws: Problem.self) { try Credential(headers) }
        #expect(problem?.type == .unauthenticated)
    }

    @Test func aPeerThatFailsTooOftenWaitsAndIsForgiven() {
        let limiter = FailureLimiter(burst: 3, refill: .seconds(10), capacity: 10)
        let start = ContinuousClock.now
        for _ in 0..<3 {
            #expect(limiter.wait("a", now: start) == nil)
            limiter.fail("a", now: start)
        }
        #expect(limiter.wait("a", now: start) == .seconds(10))
        #expect(limiter.wait("b", now: start) == nil)
        #expect(limiter.wait("a", now: start + .seconds(10)) == nil)
        limiter.fail("a", now: start + .seconds(10))
        #expect(limiter.wait("a", now: start + .seconds(10)) == .seconds(10))
        #expect(limiter.wait("a", now: start + .seconds(1000)) == nil)
    }

    @Test func theTableOfPeersIsBounded() {
        let limiter = FailureLimiter(burst: 1, refill: .seconds(100), capacity: 50)
        let start = ContinuousClock.now
        for index in 0..<1000 { limiter.fail("\(index)", now: start + .milliseconds(index)) }
        #expect(limiter.count == 50)
        #expect(limiter.wait("999", now: start + .seconds(1)) != nil)
        #expect(limiter.wait("0", now: start + .seconds(1)) == nil)
    }
}
