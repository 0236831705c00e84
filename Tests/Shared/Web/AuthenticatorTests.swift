import Crypto
import Foundation
import HTTP
import HTTPClient
import HTTPServer
import Identity
import JSON
import Telemetry
import Testing

@testable import Web

/// Real tokens and keys, from the JWK Set file to the answer over a socket.
@Suite struct AuthenticatorTests {
    private let operatorSigner: TokenSigner
    private let serviceSigner: TokenSigner
    private let strangerSigner: TokenSigner
    private let keys = MemoryAPIKeyStore()

    init() throws {
        operatorSigner = TokenSigner(key: try .generate(), issuer: "operator")
        serviceSigner = TokenSigner(key: try .generate(), issuer: "ingest")
        strangerSigner = TokenSigner(key: try .generate(), issuer: "operator")
    }

    private func settings(_ entries: [PublicKeySet.Entry]) throws -> Configuration {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("jwks-\(UUID().uuidString)").path
        try PublicKeySet(entries).save(path)
        return Configuration(["OPENLEDGER_JWKS": path])
    }

    private func application(vouching: [Vouching] = []) async throws -> TestApplication {
        let verifier = try await TokenVerifier.configured(
            try settings([operatorSigner.publicEntry, serviceSigner.publicEntry]), audience: "shop")
        return try TestApplication(
            authenticator: Authenticator(
                tokens: verifier, keys: keys, services: ["ingest": ["orders:write"]], vouching: ["ingest": vouching]))
    }

    private func token(
        _ signer: TokenSigner, _ scopes: Set<String> = ["items:read"], subject: String = "alice", audience: String = "shop",
        kind: Caller.Kind = .person, lifetime: Int64 = 60, now: Int64 = UnixTime.now
    ) throws -> String {
        try signer.mint(subject: subject, audience: audience, kind: kind, scopes: scopes, lifetime: lifetime, now: now)
    }

    private func status(_ test: TestApplication, _ credential: String) async throws -> Int {
        try await test.send("GET", "/v1/items/a", ["Authorization": "Bearer \(credential)"]).status
    }

    @Test func aTokenOfAKnownIssuerIsTaken() async throws {
        let test = try await application()
        #expect(try await status(test, token(operatorSigner)) == 200)
        #expect(try await status(test, token(operatorSigner, ["items:write"])) == 403)
        #expect(try await status(test, token(operatorSigner, [])) == 403)
    }

    @Test func forgedStaleAndForeignTokensAreRefused() async throws {
        let test = try await application()
        let good = try token(operatorSigner)
        let parts = good.split(separator: ".").map(String.init)
        let none = Base64URL.encode(Array(#"{"alg":"none","typ":"JWT"}"#.utf8))
        let wider = try #require(Base64URL.decode(parts[1])).map { $0 }
        let claims = String(decoding: wider, as: UTF8.self).replacing("items:read", with: "items:read blobs:write")
        let bad = [
            try token(strangerSigner), try token(operatorSigner, lifetime: 60, now: UnixTime.now - 3600),
            try token(operatorSigner, audience: "other"), parts[0] + "." + parts[1] + ".", none + "." + parts[1] + ".",
            parts[0] + "." + Base64URL.encode(Array(claims.utf8)) + "." + parts[2], parts[0] + "." + parts[1] + "." + parts[0],
            good + "x", "x", try token(serviceSigner, subject: "billing", kind: .service), "olk_" + String(repeating: "A", count: 43),
            "olk_x", String(repeating: "a", count: 9000),
        ]
        for credential in bad { #expect(try await status(test, credential) == 401, "\(credential.prefix(200))") }
        #expect(test.conformance.violations == [])
    }

    /// Knows of one person whose key was given up.
    private struct EndedKeys: APIKeyStore {
        let end: Int64
        func record(for hash: Digest) async throws -> APIKeyRecord? { nil }
        func add(_ record: APIKeyRecord) async throws {}
        func revoke(_ hash: Digest) async throws {}
        func tokensEnd(of subject: String) async throws -> Int64? { ["alice", "ingest"].contains(subject) ? end : nil }
    }

    @Test func aTokenThatWasMadeBeforeAKeyWasGivenUpEndsWithIt() async throws {
        let verifier = try await TokenVerifier.configured(
            try settings([operatorSigner.publicEntry, serviceSigner.publicEntry]), audience: "shop")
        let end = UnixTime.now - 10
        let test = try TestApplication(
            authenticator: Authenticator(
                tokens: verifier, keys: APIKeyChain([keys, EndedKeys(end: end)]), services: ["ingest": ["items:read"]]))
        let (old, new) = (try token(operatorSigner, now: end), try token(operatorSigner, now: end + 1))
        // Also the second time, when it is remembered.
        for _ in 0..<2 {
            #expect(try await status(test, old) == 401)
            #expect(try await status(test, new) == 200)
        }
        #expect(try await status(test, token(operatorSigner, subject: "bob", now: end)) == 200)
        // A service signs its own.
        #expect(try await status(test, token(serviceSigner, subject: "ingest", kind: .service, now: end)) == 200)
    }

    @Test func aServicesScopesAreThoseOfTheTableAndNotItsOwnClaims() async throws {
        let test = try await application()
        let token = try token(serviceSigner, ["items:read"], subject: "ingest", kind: .service)
        #expect(try await status(test, token) == 403)
        let order = try await test.post(
            "/v1/orders", ["Authorization": "Bearer \(token)"], json: #"{"item":"tea","amount":"5"}"#, key: "k")
        #expect(order.status == 201)
    }

    @Test func aServicesKeySpeaksForNobodyButWhoseNameItIsGiven() async throws {
        let test = try await application(vouching: [Vouching(subject: "helper", kind: .agent, scopes: ["items:read"])])
        for kind in [Caller.Kind.person, .organisation, .agent] {
            #expect(try await status(test, token(serviceSigner, ["items:read"], subject: "alice", kind: kind)) == 401, "\(kind)")
        }
        #expect(try await status(test, token(serviceSigner, ["items:read"], subject: "helper")) == 401)
        let helper = try token(serviceSigner, ["items:read", "orders:write"], subject: "helper", kind: .agent)
        #expect(try await status(test, helper) == 200)
        let order = try await test.post(
            "/v1/orders", ["Authorization": "Bearer \(helper)"], json: #"{"item":"tea","amount":"5"}"#, key: "k")
        #expect(order.status == 403, "what it claims beyond its line does not count")
    }

    @Test func anAPIKeyIsTakenUntilItIsRevokedOrEnds() async throws {
        let test = try await application()
        let key = APIKey.generate()
        let caller = Caller(subject: "agent-7", issuer: "gateway", kind: .agent, scopes: ["items:read"])
        #expect(try await status(test, key.reveal()) == 401)
        keys.add(APIKeyRecord(hash: key.hash, caller: caller))
        #expect(try await status(test, key.reveal()) == 200)
        #expect(try await test.send("GET", "/v1/items/a", ["X-API-Key": key.reveal()]).status == 200)
        keys.revoke(key.hash)
        #expect(try await status(test, key.reveal()) == 401)
        keys.add(APIKeyRecord(hash: key.hash, caller: caller, expiry: UnixTime.now - 1))
        #expect(try await status(test, key.reveal()) == 401)
        // No credential stands in the log.
        #expect(!test.recorder.lines.contains { $0.contains(key.reveal()) || $0.contains("olk_") })
    }

    @Test func withdrawnKeysEndAtOnce() async throws {
        let first = try settings([operatorSigner.publicEntry])
        let verifier = try await TokenVerifier.configured(first, audience: "shop")
        let test = try TestApplication(authenticator: Authenticator(tokens: verifier, keys: nil))
        let token = try token(operatorSigner)
        #expect(try await status(test, token) == 200)
        try await verifier.reload(try settings([serviceSigner.publicEntry]))
        #expect(try await status(test, token) == 401)
        #expect(try await status(test, "olk_" + String(repeating: "A", count: 43)) == 401)
    }

    @Test func aKeyFileThatCannotBeUsedNamesItsSetting() async throws {
        let unnamed = try settings([PublicKeySet.Entry(key: Ed25519PrivateKey.generate().publicKey)])
        for settings in [Configuration([:]), Configuration(["OPENLEDGER_JWKS": "/nowhere"]), unnamed] {
            let error = await #expect(throws: ConfigurationError.self) { try await TokenVerifier.configured(settings, audience: "shop") }
            #expect(error?.key == "OPENLEDGER_JWKS")
        }
    }

    @Test func overASocketNothingIsOpenThatIsNotPublic() async throws {
        let test = try await application()
        let running = try await test.application.serve([.ipv4("127.0.0.1", port: 0)])
        let client = try CurlTransport()
        let lacking = try token(operatorSigner, ["nothing"])
        do {
            for route in test.application.routes where route.access != .public && route.access != .authenticated {
                let path = route.pattern.replacing("{id}", with: "a").replacing("{name}", with: "a")
                let url = "http://127.0.0.1:\(running.port)\(path)"
                let without = try await client.send(ClientRequest(method: route.method.rawValue, url: url))
                #expect(without.status == 401, "\(route.operation)")
                #expect(without.headers["Content-Type"] == "application/problem+json")
                let with = try await client.send(
                    ClientRequest(method: route.method.rawValue, url: url, headers: ["Authorization": "Bearer \(lacking)"]))
                #expect(with.status == 403, "\(route.operation)")
            }
            // The server tells who asks, so forging from here is limited, whatever the route.
            let url = "http://127.0.0.1:\(running.port)/v1/items/a"
            var statuses: Set<Int> = []
            for index in 0..<30 {
                let forged = ClientRequest(url: url, headers: ["Authorization": "Bearer forged-\(index)"])
                statuses.insert(try await client.send(forged).status)
            }
            #expect(statuses == [401, 429])
            let known = try await client.send(ClientRequest(url: url, headers: ["Authorization": "Bearer \(lacking)"]))
            #expect(known.status == 403)
        } catch {
            await running.stop(grace: .zero)
            throw error
        }
        await client.close()
        await running.stop(grace: .zero)
    }
}
