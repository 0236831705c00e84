import Crypto
import Testing

@Suite("Codes and derived keys")
struct KeyedTests {
    @Test("HMAC: RFC 4231, cases 1, 2 and 6, and an empty key")
    func hmac() throws {
        let cases = [
            ([UInt8](repeating: 0x0b, count: 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (ascii("Jefe"), "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            ([], "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
        ]
        for (key, message, hex) in cases {
            let code = HMACSHA256.code(ascii(message), key: key)
            #expect(code.hex == hex)
            #expect(HMACSHA256.isValid(code: code.bytes, for: ascii(message), key: key))
            #expect(!HMACSHA256.isValid(code: code.bytes, for: ascii(message + "!"), key: key))
            #expect(!HMACSHA256.isValid(code: Array(code.bytes.dropLast()), for: ascii(message), key: key))
        }
    }

    @Test("HKDF: RFC 5869, cases 1 and 3")
    func hkdf() throws {
        let secret = [UInt8](repeating: 0x0b, count: 22)
        let first = try HKDF.derive(secret, salt: bytes("000102030405060708090a0b0c"), info: bytes("f0f1f2f3f4f5f6f7f8f9"), count: 42)
        #expect(Hex.encode(first) == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
        let third = try HKDF.derive(secret, info: [], count: 42)
        #expect(Hex.encode(third) == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
        for count in [-1, 0, 8161] { #expect(throws: CryptoError.self) { try HKDF.derive(secret, info: [], count: count) } }
        #expect(try HKDF.derive(secret, info: [], count: 8160).count == 8160)
    }

    @Test("scrypt: RFC 7914, the second vector, and parameters refused")
    func scrypt() throws {
        let key = try Scrypt.derive(password: ascii("password"), salt: ascii("NaCl"), cost: 1024, blockSize: 8, parallelism: 16, count: 64)
        let want = """
            fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162
            2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640
            """
        #expect(key == (try bytes(want)))
        for cost in [0, 1, 1000, -2, 1 << 30] {
            #expect(throws: CryptoError.self) { try Scrypt.derive(password: [1], salt: [], cost: cost) }
        }
        #expect(throws: CryptoError.self) { try Scrypt.derive(password: [1], salt: [], cost: 1 << 20, blockSize: 64) }
    }

    @Test("equality in constant time is equality")
    func constantTime() {
        #expect(constantTimeEqual([], []))
        #expect(constantTimeEqual([1, 2], [1, 2]))
        #expect(!constantTimeEqual([1, 2], [1, 3]))
        #expect(!constantTimeEqual([1, 2], [1, 2, 3]))
    }
}
