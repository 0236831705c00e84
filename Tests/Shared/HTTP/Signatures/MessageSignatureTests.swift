import Crypto
import HTTP
import HTTPSignatures
import TestSupport
import Testing

@Suite struct MessageSignatureTests {
    /// RFC 9421, appendices B.1.4 and B.2.6.
    private static let key = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
        -----END PUBLIC KEY-----

        """
    private static let input =
        #"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#
    private static let signature =
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"

    private func request(method: String = "POST", type: String = "application/json", input: String = Self.input) -> SignedMessage {
        SignedMessage(
            method: method, scheme: "https", authority: "EXAMPLE.com:443", target: "/foo?param=Value&Pet=dog",
            headers: [
                "Date": "Tue, 20 Apr 2021 02:07:55 GMT", "Content-Type": type, "Content-Length": "18", "Signature-Input": input,
                "Signature": Self.signature,
            ])
    }

    @Test func theStandardsExampleHolds() throws {
        let key = try Ed25519PublicKey(pem: Self.key)
        let signature = try #require(try MessageSignature.all(in: request().headers).first)
        #expect(signature.keyID == "test-key-ed25519" && signature.created == 1_618_884_473 && signature.label == "sig-b26")
        #expect(signature.covered == ["date", "@method", "@path", "@authority", "content-type", "content-length"])
        #expect(try signature.isValid(for: request(), by: key))
        #expect(try !signature.isValid(for: request(method: "PUT"), by: key))
        #expect(try !signature.isValid(for: request(type: "text/plain"), by: key))
        #expect(try !signature.isValid(for: request(), by: try Ed25519PrivateKey.generate().publicKey))
    }

    @Test func whatIsMadeHereHoldsForTheSameRequestAlone() throws {
        let key = try Ed25519PrivateKey.generate()
        let signer = MessageSigner(key: key, keyID: "k", agent: "https://house.example")
        let url = "https://ear.example:8443/told?x=1"
        var headers: Headers = ["webhook-id": "e1"]
        for field in try signer.sign("POST", url, headers: headers, body: [1, 2], covering: ["webhook-id"], now: 1_000) {
            headers.set(field.name, field.value)
        }
        let signature = try #require(try MessageSignature.all(in: headers).first)
        #expect(signature.tag == "web-bot-auth" && signature.expires == 1_300 && signature.nonce != nil)
        #expect(
            signature.covered.isSuperset(of: ["@method", "@authority", "@target-uri", "content-digest", "webhook-id", "signature-agent"]))
        let message = try #require(SignedMessage(method: "POST", url: url, headers: headers))
        #expect(try signature.isValid(for: message, by: key.publicKey))
        let elsewhere = try #require(SignedMessage(method: "POST", url: "https://ear.example/told?x=1", headers: headers))
        #expect(try !signature.isValid(for: elsewhere, by: key.publicKey))
        let digest = try #require(headers["Content-Digest"])
        #expect(try ContentDigest.isRight(digest, for: [1, 2]))
        #expect(try !ContentDigest.isRight(digest, for: [1, 3]))
    }

    @Test(arguments: [
        #"sig=("@method""#, #"sig=("@method" "@method");keyid="k""#, #"sig=("@method"),sig=("@path")"#, #"sig=("@method"),"#, "sig=1",
        "sig",
        #"sig=("@method");created="soon""#, #"sig=(date)"#, #"Sig=("date")"#, #"sig=("a""b")"#, "sig=(\"da\u{1}te\")", "",
    ])
    func whatCannotBeReadIsRefused(_ input: String) {
        #expect(throws: SignatureError.self) {
            _ = try MessageSignature.all(in: ["Signature-Input": input, "Signature": "sig=:AAAA:"])
        }
    }

    @Test func whatIsNotThereOrNotKnownIsNotCovered() throws {
        let key = try Ed25519PrivateKey.generate().publicKey
        for name in ["\"missing\"", "\"@nothing\"", "\"date\";sf", "\"@method\";req", "\"date\";key=\"a\""] {
            let message = request(input: "sig=(\(name))")
            let signature = try #require(
                try MessageSignature.all(in: ["Signature-Input": "sig=(\(name))", "Signature": "sig=:AAAA:"]).first)
            #expect(throws: SignatureError.self, "\(name)") { _ = try signature.isValid(for: message, by: key) }
        }
    }

    /// Bytes of any kind are read or refused, and never trapped on.
    @Test func anyBytesAreReadOrRefused() throws {
        var generator = Seed.generator()
        let alphabet = Array(#"sig=("@method" "date");created=12;keyid="k",:AAA=: ?1*x\-0"#)
        for _ in 0..<3_000 {
            let text = String((0..<Int.random(in: 0..<40, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? "x" })
            _ = try? MessageSignature.all(in: ["Signature-Input": text, "Signature": text])
        }
    }
}
