import Crypto
import Testing

@Suite("AES-256-GCM")
struct AESGCMTests {
    /// Key, nonce, plaintext, data and result of test cases 13, 14 and 16 of the specification that NIST took up.
    static let vectors = [
        (String(repeating: "00", count: 32), String(repeating: "00", count: 12), "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
        (
            String(repeating: "00", count: 32), String(repeating: "00", count: 12), String(repeating: "00", count: 16), "",
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
            """
            d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
            1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39
            """, "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            """
            522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838
            c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b
            """
        ),
    ]

    @Test("published ciphertexts and tags", arguments: vectors)
    func published(key: String, nonce: String, plaintext: String, data: String, result: String) throws {
        let cipher = try AESGCM(key: bytes(key))
        let sealed = try cipher.seal(bytes(plaintext), nonce: bytes(nonce), authenticating: bytes(data))
        #expect(sealed == (try bytes(nonce + result)))
        #expect(try cipher.open(sealed, authenticating: bytes(data)) == bytes(plaintext))
    }

    @Test("messages of any size open again, and no two seals are alike", arguments: [0, 1, 15, 16, 17, 4096, 100_000])
    func sizes(count: Int) throws {
        let cipher = try AESGCM(key: Random.bytes(32))
        let message = Random.bytes(count)
        let sealed = try cipher.seal(message, authenticating: [1])
        #expect(sealed.count == count + 28)
        #expect(try cipher.open(sealed, authenticating: [1]) == message)
        #expect(try cipher.seal(message, authenticating: [1]) != sealed)
    }

    @Test("anything changed does not open")
    func tampering() throws {
        let cipher = try AESGCM(key: Random.bytes(32))
        let sealed = try cipher.seal(ascii("secret"), authenticating: ascii("owner"))
        func fails(_ bytes: [UInt8], _ data: String = "owner", _ with: AESGCM? = nil) {
            #expect(throws: CryptoError.notAuthentic) { try (with ?? cipher).open(bytes, authenticating: ascii(data)) }
        }
        for place in sealed.indices {
            var changed = sealed
            changed[place] ^= 1
            fails(changed)
        }
        for count in 0..<sealed.count { fails(Array(sealed.prefix(count))) }
        fails(sealed + [0])
        fails(sealed, "other")
        fails(sealed, "")
        fails(sealed, "owner", try AESGCM(key: Random.bytes(32)))
        #expect(try cipher.open(sealed, authenticating: ascii("owner")) == ascii("secret"))
    }

    @Test("keys and nonces of the wrong size are refused")
    func wrongSizes() throws {
        for count in [0, 16, 31, 33] { #expect(throws: CryptoError.self) { try AESGCM(key: Random.bytes(count)) } }
        let cipher = try AESGCM(key: Random.bytes(32))
        for count in [0, 11, 13, 16] { #expect(throws: CryptoError.self) { try cipher.seal([], nonce: Random.bytes(count)) } }
    }
}
