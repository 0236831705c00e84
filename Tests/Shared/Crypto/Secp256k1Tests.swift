import Crypto
import Testing

@Suite struct Secp256k1Tests {
    @Test func whatWasSignedNamesItsSigner() throws {
        for _ in 0..<50 {
            let key = try Secp256k1PrivateKey.generate()
            let digest = Random.bytes(32)
            let signature = try key.sign(digest)
            #expect(try key.sign(digest) == signature)
            #expect(Secp256k1Signature(signature.bytes) == signature)
            #expect(signature.signer(of: digest) == key.publicKey)
            #expect(key.publicKey.isValid(signature, of: digest))
            var other = digest
            other[Int.random(in: 0..<32)] ^= 1
            #expect(signature.signer(of: other) != key.publicKey)
            #expect(!key.publicKey.isValid(signature, of: other))
        }
    }

    /// Whoever sees a signature can make its mirror image with s taken from the order; it must not count as another one.
    @Test func theMirrorImageOfASignatureIsRefused() throws {
        let tail = try #require(Hex.decode("baaedce6af48a03bbfd25e8cd0364141"))
        let order = [UInt8](repeating: 0xff, count: 15) + [0xfe] + tail
        let signature = try Secp256k1PrivateKey([UInt8](repeating: 1, count: 32)).sign([UInt8](repeating: 5, count: 32))
        var mirrored = signature.bytes
        var borrow = 0
        for place in stride(from: 31, through: 0, by: -1) {
            let difference = Int(order[place]) - Int(signature.bytes[32 + place]) - borrow
            mirrored[32 + place] = UInt8(difference & 0xff)
            borrow = difference < 0 ? 1 : 0
        }
        mirrored[64] ^= 7
        #expect(Secp256k1Signature(mirrored) == nil)
    }

    @Test func whatIsNoKeyAndNoSignatureIsRefused() throws {
        for wrong in [[], [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xff, count: 32), [UInt8](repeating: 1, count: 31)] {
            #expect(throws: CryptoError.self) { try Secp256k1PrivateKey(wrong) }
        }
        let good = try Secp256k1PrivateKey.generate().sign([UInt8](repeating: 1, count: 32)).bytes
        #expect(Secp256k1Signature(Array(good.dropLast())) == nil)
        #expect(Secp256k1Signature(Array(good.prefix(64)) + [29]) == nil)
        #expect(Secp256k1Signature([UInt8](repeating: 0, count: 65)) == nil)
        #expect(Secp256k1Signature([UInt8](repeating: 0xff, count: 64) + [27]) == nil)
        #expect(throws: CryptoError.self) { try Secp256k1PrivateKey.generate().sign([1, 2, 3]) }
    }
}
