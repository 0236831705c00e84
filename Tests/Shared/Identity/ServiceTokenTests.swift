import Crypto
import Identity
import Synchronization
import Testing

@Suite("A service's own tokens")
struct ServiceTokenTests {
    private final class Clock: Sendable {
        let second = Atomic<Int64>(1_900_000_000)
    }

    @Test("one token serves until a fifth of its life is left, and is accepted by its audience only")
    func renewal() async throws {
        let forge = try Forge(), clock = Clock()
        let source = ServiceTokenSource(signer: TokenSigner(key: forge.key, issuer: "billing")) { clock.second.load(ordering: .relaxed) }
        let start = clock.second.load(ordering: .relaxed)
        let first = try await source.token(for: "ledger")
        let verifier = try forge.verifier(issuer: "billing")
        #expect(try verifier.verify(first, now: start) == Caller(subject: "billing", issuer: "billing", kind: .service))
        let other = try await source.token(for: "gateway")
        #expect(throws: TokenError.audience) { try verifier.verify(other, now: start) }
        clock.second.store(start + 239, ordering: .relaxed)
        #expect(try await source.token(for: "ledger") == first)
        clock.second.store(start + 240, ordering: .relaxed)
        let second = try await source.token(for: "ledger")
        #expect(second != first)
        #expect(try await source.token(for: "ledger") == second)
        #expect(throws: TokenError.expired) { try verifier.verify(first, now: start + 330) }
        #expect(try verifier.verify(second, now: start + 330).subject == "billing")
    }
}
