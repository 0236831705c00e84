import Crypto
import Foundation
import Identity
import Testing

@Suite("Sets of public keys")
struct KeySetTests {
    /// The key, its thumbprint and its JWK of RFC 8037, appendix A.
    private let published = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    private let thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

    private func read(_ jwks: String) throws -> PublicKeySet { try PublicKeySet(jwks: ascii(jwks)) }

    @Test("the thumbprint is RFC 8037's")
    func thumbprints() throws {
        let key = try Ed25519PublicKey(try #require(Base64URL.decode(published)))
        #expect(PublicKeySet.thumbprint(of: key) == thumbprint)
        #expect(try read(#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"\#(published)"}]}"#)[thumbprint] == key)
    }

    @Test("a set goes to a file and back, readable for all")
    func file() async throws {
        try await withFolder { folder in
            let path = folder + "/keys.json"
            let keys = try (0..<3).map { _ in try Ed25519PrivateKey.generate().publicKey }
            let set = try PublicKeySet([
                .init(key: keys[0]), .init(key: keys[1], id: "b", issuer: "billing"), .init(key: keys[2], issuer: "ledger"),
            ])
            try set.save(path)
            #expect(try PublicKeySet.load(path) == set)
            #expect(try mode(path) & 0o444 == 0o444)
            let smaller = try PublicKeySet([.init(key: keys[2])])
            try smaller.save(path)
            #expect(try PublicKeySet.load(path) == smaller)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keys.json"])
        }
    }

    @Test("keys are handed out by the issuer that they name")
    func issuers() throws {
        let keys = try (0..<3).map { _ in try Ed25519PrivateKey.generate().publicKey }
        let set = try PublicKeySet([.init(key: keys[0], issuer: "a"), .init(key: keys[1], issuer: "b"), .init(key: keys[2], issuer: "a")])
        let sets = try set.byIssuer()
        #expect(sets.keys.sorted() == ["a", "b"])
        #expect(sets["a"]?.entries.map(\.key) == [keys[0], keys[2]])
        #expect(throws: PublicKeySetError.noIssuer("x")) { try PublicKeySet([.init(key: keys[0], id: "x")]).byIssuer() }
    }

    @Test("keys for other ends are left out")
    func others() throws {
        let set = try read(
            #"""
            {"keys":[{"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB"},{"kty":"OKP","crv":"X25519","kid":"x","x":"\#(published)"},
             {"kty":"OKP","crv":"Ed25519","kid":"e","x":"\#(published)","use":"enc"},{"kty":"OKP","crv":"Ed25519","kid":"h","x":"\#(published)","alg":"HS256"},
             {"kty":"OKP","crv":"Ed25519","kid":"a","x":"\#(published)","alg":"EdDSA","use":"sig","more":1}],"more":2}
            """#)
        #expect(set.entries.map(\.id) == ["a"])
    }

    @Test(
        "what is no sound set is refused",
        arguments: [
            "", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[1]}"#, #"{"keys":[{}]}"#, #"{"keys":[],"keys":[]}"#,
            #"{"keys":[{"kty":"OKP","crv":"Ed25519"}]}"#,
            #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}"#,
            #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="}]}"#,
            #"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":7,"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
        ])
    func malformed(text: String) { #expect(throws: PublicKeySetError.self) { try read(text) } }

    @Test("a private key in a public set, and one name for two keys, are refused by name")
    func dangerous() throws {
        let secret =
            #"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"\#(published)","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}"#
        #expect(throws: PublicKeySetError.privateKey("k")) { try read(secret) }
        let a = PublicKeySet.Entry(key: try Ed25519PrivateKey.generate().publicKey, id: "k")
        let b = PublicKeySet.Entry(key: try Ed25519PrivateKey.generate().publicKey, id: "k")
        #expect(throws: PublicKeySetError.duplicateName("k")) { try PublicKeySet([a, b]) }
        #expect(try PublicKeySet([a, a]).entries == [a])
    }
}
