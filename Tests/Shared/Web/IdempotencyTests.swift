import Crypto
import HTTP
import Identity
import Testing

@testable import Web

@Suite struct IdempotencyTests {
    @Test(arguments: [
        ("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324"), ("abc", "abc"), ("\"a b\"", "a b"),
        (#""a\"b\\c""#, #"a"b\c"#), ("\"a,b;c\"", "a,b;c"),
    ])
    func aKeyIsReadWithAndWithoutQuotes(value: String, text: String) throws {
        #expect(try IdempotencyKey(value).text == text)
    }

    @Test(arguments: [
        "", "\"\"", "\"", "\"abc", "a b", "a,b", "a\"b", #""a\n""#, #""a\"#, "\"a\"b\"", "\"a\";q=1", "é", "\"é\"", "a\u{1}",
        String(repeating: "k", count: 256),
    ])
    func whatIsNoKeyIsRefused(value: String) {
        let problem = #expect(throws: Problem.self) { try IdempotencyKey(value) }
        #expect(problem?.type == .keyInvalid)
    }

    @Test func theLongestKeyIsTaken() throws {
        let key = String(repeating: "k", count: 255)
        #expect(try IdempotencyKey("\"\(key)\"").text == key)
    }

    @Test func aCommandsIdDependsOnWhoAndKeyAndNothingElse() throws {
        let body = SHA256.hash([1])
        func id(_ principal: String, _ key: String, _ body: Digest, issuer: String = "gateway") throws -> String {
            CommandIdentity(
                caller: Caller(subject: principal, issuer: issuer, kind: .person), key: try IdempotencyKey(key), body: body
            ).id
        }
        let first = try id("alice", "k", body)
        #expect(TextFormat.uuid.matches(first))
        #expect(first.dropFirst(14).first == "8")
        #expect("89ab".contains(try #require(first.dropFirst(19).first)))
        #expect(try id("alice", "\"k\"", SHA256.hash([2])) == first)
        #expect(try id("bob", "k", body) != first)
        #expect(try id("alice", "K", body) != first)
        #expect(try id("alice", "k", body, issuer: "other") != first)
        // No shift of characters between the parts makes the same id.
        #expect(try id("alicek", "x", body) != id("alice", "kx", body))
        // For ever: the ids of commands stand in the log.
        let hash = Array(SHA256.hash(utf8: "openledger/command\0gateway\0alice\0k").bytes)
        let plain = Hex.encode(Array(hash.prefix(16)))
        let bare = first.replacing("-", with: "")
        #expect(bare.prefix(12) == plain.prefix(12) && bare.dropFirst(13).prefix(3) == plain.dropFirst(13).prefix(3))
        #expect(bare.suffix(15) == plain.suffix(15))
    }

    @Test func theSameCommandDoesNotRunTwiceAtOnce() async throws {
        let commands = CommandsInFlight()
        try await commands.run("a") {
            #expect(commands.count == 1)
            let problem = await #expect(throws: Problem.self) { try await commands.run("a") { Issue.record("ran twice") } }
            #expect(problem?.type == .commandInFlight)
            #expect(problem?.headers["Retry-After"] == "1")
            try await commands.run("b") {}
        }
        #expect(commands.count == 0)
        struct Failed: Error {}
        await #expect(throws: Failed.self) { try await commands.run("a") { throw Failed() } }
        try await commands.run("a") {}
    }
}
