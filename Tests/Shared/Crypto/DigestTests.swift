import Crypto
import Testing

@Suite("A digest as a value")
struct DigestTests {
    private let digest = SHA256.hash(ascii("abc"))

    @Test("it goes through bytes, hexadecimal and its prefixed text unchanged")
    func roundTrips() throws {
        #expect(Digest(digest.bytes) == digest)
        #expect(Digest(digest.bytes.span) == digest)
        #expect(Digest(hex: digest.hex) == digest)
        #expect(digest.prefixed == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Digest(prefixed: digest.prefixed) == digest)
        #expect("\(digest)" == digest.prefixed)
        var out: [UInt8] = [9]
        digest.append(to: &out)
        #expect(out == [9] + digest.bytes)
        #expect(digest.withUnsafeBytes { Array($0) } == digest.bytes)
    }

    @Test("other lengths, capitals, prefixes and signs are refused")
    func refusals() {
        #expect(Digest([UInt8](repeating: 0, count: 31)) == nil)
        #expect(Digest([UInt8](repeating: 0, count: 33).span) == nil)
        #expect(Digest(hex: digest.hex.uppercased()) == nil)
        #expect(Digest(hex: String(digest.hex.dropLast())) == nil)
        #expect(Digest(hex: digest.hex + "00") == nil)
        #expect(Digest(hex: String(digest.hex.dropLast()) + "g") == nil)
        #expect(Digest(prefixed: digest.hex) == nil)
        #expect(Digest(prefixed: "SHA256:" + digest.hex) == nil)
        #expect(Digest(prefixed: "sha256:" + digest.hex + " ") == nil)
        #expect(Digest(prefixed: "sha256:") == nil)
    }

    @Test("order is that of the bytes, first byte first")
    func order() throws {
        var digests = (0..<200).map { SHA256.hash([UInt8($0)]) }
        for place in 0..<32 {
            var one = digest.bytes
            one[place] ^= 0x80
            digests.append(try #require(Digest(one)))
        }
        let byBytes = digests.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) }
        #expect(digests.sorted().map(\.bytes) == byBytes)
        #expect(!(digest < digest))
    }

    @Test("digests that differ in any one bit are not equal")
    func equality() throws {
        for bit in 0..<256 {
            var other = digest.bytes
            other[bit / 8] ^= 1 << (bit % 8)
            #expect(try #require(Digest(other)) != digest)
        }
        #expect(Set([digest, digest, .zero]).count == 2)
    }
}
