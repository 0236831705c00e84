import Crypto
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    @Test(
        "published digests",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ])
    func published(input: String, hex: String) {
        #expect(SHA256.hash(ascii(input)).hex == hex)
        #expect(SHA256.hash(ascii(input).span).hex == hex)
        #expect(SHA256.hash(ascii(input).span.bytes).hex == hex)
        #expect(SHA256.hash(utf8: input).hex == hex)
    }

    @Test("the leaf of an empty entry is RFC 6962's, and leaves and nodes hash their prefix first")
    func tree() {
        #expect(SHA256.hash(prefix: 0, []).hex == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
        for count in [0, 1, 31, 54, 55, 56, 63, 64, 65, 1000] {
            let content = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            #expect(SHA256.hash(prefix: 7, content) == SHA256.hash([7] + content))
            #expect(SHA256.hash(prefix: 7, content.span) == SHA256.hash([7] + content))
        }
        let left = SHA256.hash([1]), right = SHA256.hash([2])
        #expect(SHA256.hash(prefix: 1, left, right) == SHA256.hash([1] + left.bytes + right.bytes))
        #expect(SHA256.hash(prefix: 1, left, right) != SHA256.hash(prefix: 1, right, left))
    }

    @Test("pieces hash to the same as the whole, and the hasher starts over")
    func streaming() {
        let content = (0..<5000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let hasher = SHA256Hasher()
        for step in [1, 13, 64, 4999] {
            for start in stride(from: 0, to: content.count, by: step) {
                hasher.update(Array(content[start..<min(start + step, content.count)]))
            }
            #expect(hasher.finish() == SHA256.hash(content))
        }
        hasher.update(Digest.zero)
        hasher.update([1, 2].span)
        #expect(hasher.finish() == SHA256.hash([UInt8](repeating: 0, count: 32) + [1, 2]))
        #expect(hasher.finish() == SHA256.hash([]))
    }
}
