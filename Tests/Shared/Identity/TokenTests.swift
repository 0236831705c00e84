import Crypto
import Identity
import JSON
import Testing

@Suite("Tokens")
struct TokenTests {
    private let forge: Forge
    private let verifier: TokenVerifier
    private let now = Forge.now

    init() throws {
        forge = try Forge()
        verifier = try forge.verifier()
    }

    private func verdict(_ token: String, at now: Int64? = nil) -> TokenError? {
        do throws(TokenError) {
            _ = try verifier.verify(token, now: now ?? self.now)
            return nil
        } catch { return error }
    }

    @Test("a minted token says who is asking", arguments: Caller.Kind.allCases)
    func minted(kind: Caller.Kind) throws {
        let subject = kind == .service ? "https://id.test" : "ada"
        let signer = TokenSigner(key: forge.key, issuer: "https://id.test")
        let token = try signer.mint(
            subject: subject, audience: "ledger", kind: kind, scopes: ["log:append", "log:read"], lifetime: 60, now: now)
        let caller = try verifier.verify(token, now: now)
        #expect(caller == Caller(subject: subject, issuer: "https://id.test", kind: kind, scopes: ["log:read", "log:append"]))
        #expect(caller.has("log:append") && !caller.has("log"))
        #expect(try signer.mint(subject: subject, audience: "ledger", kind: kind, lifetime: 60, now: now) != token)
    }

    @Test("a token lives from its beginning to its end, give or take the leeway, remembered or not")
    func times() throws {
        let token = try forge.token(claims: forge.claims(["nbf": .int(now), "exp": .int(now + 60)]))
        for _ in 0..<2 {
            #expect(verdict(token, at: now - 31) == .notYetValid)
            #expect(verdict(token, at: now - 30) == nil)
            #expect(verdict(token, at: now + 89) == nil)
            #expect(verdict(token, at: now + 90) == .expired)
        }
    }

    @Test("no token holds for longer than a day, counted from its beginning")
    func longest() throws {
        let day = TokenVerifier.longest
        #expect(verdict(try forge.token(claims: forge.claims(["exp": .int(now + day + 30)]))) == nil)
        #expect(verdict(try forge.token(claims: forge.claims(["exp": .int(now + day + 31)]))) == .tooLong)
        let later = try forge.token(claims: forge.claims(["nbf": .int(now + 20), "exp": .int(now + 20 + day + 30)]))
        #expect(verdict(later) == nil)
    }

    static let claimCases: [([String: JSONValue?], TokenError?)] = [
        ([:], nil), (["aud": ["x", "ledger"]], nil), (["scope": "a b:c"], nil), (["scope": ""], nil), (["kind": "agent"], nil),
        (["sub": "https://id.test"], nil), (["exp": .int(.max)], .tooLong), (["nbf": .int(.min)], nil), (["more": ["x": [1]]], nil),
        (["exp": nil], .expired), (["exp": "1900000060"], .expired), (["exp": 1900000060.5], .expired), (["exp": .int(.min)], .expired),
        (["exp": .null], .expired), (["nbf": "1"], .notYetValid), (["nbf": .int(.max)], .notYetValid), (["iss": nil], .issuer),
        (["iss": "https://id.test/"], .issuer), (["iss": ["https://id.test"]], .issuer), (["aud": nil], .audience),
        (["aud": "ledge"], .audience),
        (["aud": []], .audience), (["aud": [["ledger"]]], .audience), (["aud": ["ledger": 1]], .audience), (["sub": nil], .subject),
        (["sub": ""], .subject), (["sub": 7], .subject), (["kind": "service"], .subject),
        (["sub": "https://id.test", "kind": "person"], .subject),
        (["kind": "root"], .claims), (["kind": 1], .claims), (["scope": ["a"]], .claims), (["scope": "a  b"], .claims),
        (["scope": " a"], .claims),
        (["scope": "a\"b"], .claims), (["scope": "é"], .claims),
        (["scope": .string((0..<65).map { "s\($0)" }.joined(separator: " "))], .claims),
    ]

    @Test("each claim is judged by its rule", arguments: claimCases)
    func claims(changes: [String: JSONValue?], wanted: TokenError?) throws {
        #expect(verdict(try forge.token(claims: forge.claims(changes))) == wanted)
    }

    @Test("claims that are no strict object are refused, though signed", arguments: ["", "[]", "1", "{", #"{"exp":1,"exp":2}"#, "null"])
    func badClaims(claims: String) throws {
        #expect(verdict(try forge.token(claims: claims)) == .malformed)
    }

    @Test("each header is judged by its rule")
    func headers() throws {
        let id = forge.id
        let cases: [(String, TokenError?)] = [
            (#"{"alg":"Ed25519","kid":"\#(id)"}"#, nil), (#"{"alg":"EdDSA","kid":"\#(id)","typ":"JWT"}"#, nil),
            (#"{"alg":"EdDSA","kid":"\#(id)","typ":"at+jwt"}"#, nil), (#"{"alg":"none","kid":"\#(id)"}"#, .algorithm),
            (#"{"alg":"HS256","kid":"\#(id)"}"#, .algorithm), (#"{"alg":"eddsa","kid":"\#(id)"}"#, .algorithm),
            (#"{"kid":"\#(id)"}"#, .algorithm),
            (#"{"alg":["EdDSA"],"kid":"\#(id)"}"#, .algorithm), (#"{"alg":"EdDSA"}"#, .unknownKey),
            (#"{"alg":"EdDSA","kid":"other"}"#, .unknownKey),
            (#"{"alg":"EdDSA","kid":1}"#, .unknownKey), (#"{"alg":"EdDSA","kid":"\#(id)","typ":"dpop+jwt"}"#, .type),
            (#"{"alg":"EdDSA","kid":"\#(id)","typ":1}"#, .type), (#"{"alg":"EdDSA","kid":"\#(id)","crit":[]}"#, .criticalHeader),
            (#"{"alg":"EdDSA","kid":"\#(id)","b64":false}"#, .criticalHeader),
            (#"{"alg":"EdDSA","alg":"EdDSA","kid":"\#(id)"}"#, .malformed),
            (#"{"alg":"none","\u0061lg":"EdDSA","kid":"\#(id)"}"#, .malformed), ("[]", .malformed), ("", .malformed),
            // A key in the header is not to be listened to.
            (#"{"alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":"\#(Base64URL.encode(forge.key.publicKey.rawBytes))"}}"#, .unknownKey),
        ]
        for (header, wanted) in cases {
            #expect(verdict(try forge.token(header: header, claims: forge.claims())) == wanted, "\(header)")
        }
    }

    @Test("no byte of a token can be changed")
    func tampering() throws {
        let token = ascii(try forge.token(claims: forge.claims()))
        _ = try verifier.verify(token, now: now)
        for place in token.indices {
            for change: UInt8 in [1, 0x20] {
                var changed = token
                changed[place] ^= change
                #expect(throws: TokenError.self) { try verifier.verify(changed, now: now) }
            }
        }
        for count in token.indices { #expect(throws: TokenError.self) { try verifier.verify(Array(token[..<count]), now: now) } }
        #expect(throws: TokenError.malformed) { try verifier.verify(token + ascii("=="), now: now) }
        #expect(throws: TokenError.tooLarge) { try verifier.verify([UInt8](repeating: 0x41, count: 8193), now: now) }
    }

    @Test("a key signs for its own issuer only")
    func issuers() throws {
        let other = try Forge()
        let verifier = try TokenVerifier(
            issuers: [
                "https://id.test": try PublicKeySet([.init(key: forge.key.publicKey)]),
                "billing": try PublicKeySet([.init(key: other.key.publicKey)]),
            ], audience: "ledger")
        #expect(try verifier.verify(try forge.token(claims: forge.claims()), now: now).subject == "ada")
        #expect(throws: TokenError.issuer) { try verifier.verify(try other.token(claims: forge.claims()), now: now) }
        let service = forge.claims(["iss": "billing", "sub": "billing"])
        #expect(try verifier.verify(try other.token(claims: service), now: now).kind == .service)
        #expect(throws: TokenError.issuer) { try verifier.verify(try forge.token(claims: service), now: now) }
    }

    @Test("issuers that share a key name are refused: a token could be either's")
    func sharedNames() throws {
        let set = try PublicKeySet([.init(key: forge.key.publicKey)])
        #expect(throws: PublicKeySetError.duplicateName(forge.id)) { try TokenVerifier(issuers: ["a": set, "b": set], audience: "ledger") }
    }

    @Test("a withdrawn key ends its tokens at once, remembered or not")
    func withdrawal() throws {
        let token = try forge.token(claims: forge.claims())
        #expect(verdict(token) == nil)
        try verifier.update(issuers: ["https://id.test": try PublicKeySet([.init(key: try Ed25519PrivateKey.generate().publicKey)])])
        #expect(verdict(token) == .unknownKey)
    }

    @Test("verdicts do not depend on how many tokens are remembered", arguments: [0, 1, 2, 3, 100])
    func memory(remembered: Int) throws {
        let verifier = try forge.verifier(remembered: remembered)
        let tokens = try (0..<6).map { try forge.token(claims: forge.claims(["sub": "p\($0)", "exp": .int(now + Int64($0))])) }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            let index = Int.random(in: tokens.indices, using: &random)
            #expect(try verifier.verify(tokens[index], now: now).subject == "p\(index)")
            #expect(throws: TokenError.expired) { try verifier.verify(tokens[index], now: now + Int64(index) + 30) }
        }
    }

    @Test("many tasks may verify at once")
    func concurrency() async throws {
        let verifier = try forge.verifier(remembered: 5), now = now
        let tokens = try (0..<10).map { try forge.token(claims: forge.claims(["sub": "p\($0)"])) }
        let right = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    try (0..<50).count { try verifier.verify(tokens[($0 + task) % 10], now: now).subject == "p\(($0 + task) % 10)" }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(right == 400)
    }

    @Test("no error repeats a part of the token, and each says something of its own")
    func descriptions() {
        #expect(Set(TokenError.allCases.map(\.description)).count == TokenError.allCases.count)
    }
}
