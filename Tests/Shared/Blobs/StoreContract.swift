import Blobs
import Crypto
import Testing

/// What every blob store has to do, whatever it keeps the blobs in.
enum StoreContract {
    static func name(_ text: String) throws -> BlobName { try BlobName(space: "test", digest: SHA256.hash(utf8: text)) }

    /// Bytes that come in pieces of odd sizes, made anew for each reading.
    static func pieces(_ bytes: [UInt8], of size: Int) -> BlobBytes {
        BlobBytes(
            concatenating: stride(from: 0, to: bytes.count, by: size).map { BlobBytes(Array(bytes[$0..<min($0 + size, bytes.count)])) })
    }

    static func check(_ store: some BlobStore, largest: Int, keepsTheFirst: Bool = true) async throws {
        var generator = SystemRandomNumberGenerator()
        let run = String(generator.next() as UInt64, radix: 16)
        for count in [1, 2, 1000, 65_536, largest] {
            let name = try name("\(run) \(count)")
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            #expect(try await store.count(of: name) == nil)
            await #expect(throws: BlobError.notFound(name)) { try await store.bytes(of: name).collect(upTo: 10) }
            try await store.put(name, pieces(bytes, of: 10_007))
            #expect(try await store.count(of: name) == count)
            #expect(try await store.bytes(of: name).collect(upTo: count) == bytes)
            let range = count / 3..<max(count / 3, count / 2)
            #expect(try await store.bytes(of: name, range: range).collect(upTo: count) == Array(bytes[range]))
            await #expect(throws: BlobError.outOfRange(name, range: 0..<count + 1, count: count)) {
                try await store.bytes(of: name, range: 0..<count + 1).collect(upTo: count + 1)
            }
            // A name is written once.
            if keepsTheFirst {
                try await store.put(name, [1, 2, 3])
                #expect(try await store.count(of: name) == count)
            }
            try await store.remove(name)
            try await store.remove(name)
            #expect(try await store.count(of: name) == nil)
        }
        let many = try (0..<50).map { NamedBlob(try name("\(run) many \($0)"), Array("blob \($0)".utf8)) }
        try await store.put(many)
        try await store.put(many)
        for blob in many { #expect(try await store.bytes(of: blob.name).collect(upTo: 100) == blob.bytes) }
        let failing = try name("\(run) failing")
        await #expect(throws: Broken.self) { try await store.put(failing, BlobBytes { BrokenSource() }) }
        #expect(try await store.count(of: failing) == nil, "half a blob is no blob")
    }
}

private struct Broken: Error {}

private struct BrokenSource: BlobSource {
    func next() async throws -> [UInt8]? { throw Broken() }
}
