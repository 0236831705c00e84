import Crypto
import Testing

@Suite("Ed25519")
struct Ed25519Tests {
    /// Seed, public key, message and signature of RFC 8032 §7.1, tests 1 to 3.
    static let vectors = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            """
            e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b
            d25bf5f0595bbe24655141438e7a100b
            """
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            """
            92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c
            387b2eaeb4302aeeb00d291612bb0c00
            """
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            """
            6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659
            4a7c15e9716ed28dc027beceea1ec40a
            """
        ),
    ]

    @Test("the RFC's signatures", arguments: vectors)
    func published(seed: String, publicKey: String, message: String, signature: String) throws {
        let key = try Ed25519PrivateKey(seed: bytes(seed))
        #expect(key.publicKey.rawBytes == (try bytes(publicKey)))
        #expect(try key.seed() == bytes(seed))
        #expect(try key.sign(bytes(message)) == bytes(signature))
        #expect(try Ed25519PublicKey(bytes(publicKey)).isValid(signature: bytes(signature), for: bytes(message)))
    }

    @Test("a signature does not hold for another message, another key, or with any byte changed")
    func forgeries() throws {
        let key = try Ed25519PrivateKey.generate()
        let message = ascii("pay 1250000 to acct/7f2c")
        let signature = try key.sign(message)
        #expect(key.publicKey.isValid(signature: signature, for: message))
        #expect(!key.publicKey.isValid(signature: signature, for: message + [0]))
        #expect(!key.publicKey.isValid(signature: signature, for: []))
        #expect(!(try Ed25519PrivateKey.generate()).publicKey.isValid(signature: signature, for: message))
        for place in signature.indices {
            var forged = signature
            forged[place] ^= 1
            #expect(!key.publicKey.isValid(signature: forged, for: message))
        }
        for count in [0, 1, 63, 65] {
            #expect(!key.publicKey.isValid(signature: Array((signature + signature).prefix(count)), for: message))
        }
        #expect(key.publicKey.isValid(signature: signature, for: message))
    }

    @Test("a second signature made of the first by adding the group's order is refused (RFC 8032, 8.4)")
    func malleability() throws {
        let key = try Ed25519PrivateKey.generate()
        var signature = try key.sign([1])
        let order = try bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        var carry = 0
        for index in 0..<32 {
            carry += Int(signature[32 + index]) + Int(order[index])
            signature[32 + index] = UInt8(carry & 255)
            carry >>= 8
        }
        #expect(carry == 0)
        #expect(!key.publicKey.isValid(signature: signature, for: [1]))
    }

    static let pem = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
        -----END PRIVATE KEY-----

        """
    static let publicPEM = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
        -----END PUBLIC KEY-----

        """

    @Test("PEM texts are those of RFC 8410, section 10")
    func publishedPEM() throws {
        let key = try Ed25519PrivateKey(pem: Self.pem)
        #expect(try key.pem() == Self.pem)
        #expect(try key.publicKey.pem() == Self.publicPEM)
        #expect(try Ed25519PublicKey(pem: Self.publicPEM) == key.publicKey)
        let other = try Ed25519PrivateKey.generate()
        #expect(try Ed25519PrivateKey(pem: other.pem()).publicKey == other.publicKey)
        #expect(other.publicKey != key.publicKey)
    }

    /// Other things that a key file may hold: a key under a passphrase, of another algorithm (P-256, X25519), cut short, none.
    /// The keys were made for this test and guard nothing.
    static let otherTexts = [
        """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAideF7vyNlBHAICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJTFJrtTtyyoX95Vx9t/lvMEQCMw
        kksCWCEBOINjCLKQDztsESoHVXKwHmdFeykkYAAFu5ztcLNKiQHBUkHlnmJGGQeE
        T55t/EnEff3v6/Tahlg=
        -----END ENCRYPTED PRIVATE KEY-----
        """,
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNg6/cimq5iBUXvNg
        VBQM8FbmYYhPZeVTz9CWjeMAjg6hRANCAAT3Qe72MnJ5pDN+fS1zwfnGS+/mk0pR
        jrDVZqeDZ+0eB9gKU11bRkIyjaOr34CX/b/YCwC+0lAIaZ9kBHRcY4NU
        -----END PRIVATE KEY-----
        """,
        """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VuBCIEIMBvPE8SM0nIscazbVIcvJYf6brcs0Rj3745JskBnDNS
        -----END PRIVATE KEY-----
        """, String(pem.dropLast(40)), publicPEM, "", "not a key", String(repeating: "x", count: 70_000),
    ]

    @Test("a text that holds no plain Ed25519 private key is refused, and nobody is asked for a passphrase", arguments: otherTexts)
    func refusedPEM(text: String) throws {
        let error = #expect(throws: CryptoError.self) { try Ed25519PrivateKey(pem: text) }
        guard case .malformed = error else { return #expect(Bool(false), "\(String(describing: error))") }
        if text != Self.publicPEM { #expect(throws: CryptoError.self) { try Ed25519PublicKey(pem: text) } }
        // What the failure left in libcrypto's queue must not be blamed on the next call.
        #expect(try Ed25519PrivateKey(pem: Self.pem).sign([1]).count == 64)
    }

    @Test("keys of the wrong size are refused", arguments: [0, 31, 33, 64])
    func sizes(count: Int) {
        #expect(throws: CryptoError.wrongLength(what: "Ed25519 seed", expected: 32, actual: count)) {
            try Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: count))
        }
        #expect(throws: CryptoError.wrongLength(what: "Ed25519 public key", expected: 32, actual: count)) {
            try Ed25519PublicKey([UInt8](repeating: 1, count: count))
        }
    }

    @Test("one key serves many tasks at once")
    func concurrency() async throws {
        let key = try Ed25519PrivateKey.generate()
        let valid = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    try (0..<25).count { round in
                        let message = ascii("\(task) \(round)")
                        let signature = try key.sign(message)
                        return key.publicKey.isValid(signature: signature, for: message)
                            && !key.publicKey.isValid(signature: signature, for: message + [0])
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(valid == 200)
    }

    @Test("a private key does not show itself")
    func description() throws {
        let key = try Ed25519PrivateKey(pem: Self.pem)
        let seed = Hex.encode(try key.seed())
        #expect(!"\(key)".contains(seed) && !String(reflecting: key).contains(seed))
    }
}
