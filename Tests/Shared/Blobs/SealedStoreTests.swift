import Blobs
import Crypto
import Foundation
import TestSupport
import Testing

@Suite struct SealedStoreTests {
    let folder: TemporaryFolder
    let blobs: FolderBlobStore
    let store: SealedStore
    let keys: OwnerKeys

    init() throws {
        folder = try TemporaryFolder("sealed")
        blobs = try FolderBlobStore(root: folder.path + "/blobs")
        keys = try OwnerKeys(
            masters: [try MasterKey(Random.bytes(32))], records: try FolderKeyRecords(root: folder.path + "/keys"))
        store = try SealedStore(blobs: blobs, keys: keys, space: "content", domain: .item)
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000])
    func whatIsSealedComesBackWholeAndInParts(count: Int) async throws {
        var generator = Seed.generator()
        let content = generator.bytes(count)
        let atOnce = try await store.put(owner: "a", [SealedItem(id: "i", content: content)])[0]
        let streamed = try await store.put(owner: "a", item: "i2", StoreContract.pieces(content, of: 9_973))
        for commitment in [atOnce, streamed] {
            #expect(try await store.count(owner: "a", commitment: commitment) == count)
            #expect(try await store.content(owner: "a", commitment: commitment, upTo: count) == content)
            #expect(try await store.content(owner: "a", commitment: commitment).collect(upTo: count) == content)
            for _ in 0..<20 {
                let start = Int.random(in: 0...count, using: &generator)
                let end = Int.random(in: start...count, using: &generator)
                let part = try await store.content(owner: "a", commitment: commitment, range: start..<end).collect(upTo: count)
                #expect(part == Array(content[start..<end]), "\(start)..<\(end) of \(count), seed \(generator.seed)")
            }
        }
    }

    @Test func theCommitmentIsTheHashOfDomainSaltAndContent() async throws {
        let content = Array("the content".utf8)
        let commitment = try await store.put(owner: "a", [SealedItem(id: "item 1", content: content)])[0]
        let salt = try await keys.key(of: "a").salt(item: "item 1")
        #expect(commitment == SHA256.hash(Array("openledger/item/v1\n".utf8) + salt.bytes + content))
        #expect(try await store.isCommitted(owner: "a", item: "item 1", content: content, commitment: commitment))
        #expect(try await !store.isCommitted(owner: "a", item: "item 2", content: content, commitment: commitment))
    }

    @Test func onDiskNothingOfTheContentCanBeSeen() async throws {
        let secret = Array("a sentence that nobody else may read, ever".utf8)
        let commitment = try await store.put(owner: "a", [SealedItem(id: "i", content: secret)])[0]
        let stored = try await blobs.bytes(of: BlobName(space: "content", digest: commitment)).collect(upTo: 1 << 20)
        #expect(Data(stored).range(of: Data(secret)) == nil)
        #expect(Data(stored).range(of: Data(secret[..<8])) == nil)
    }

    @Test func everyChangedByteIsNoticed() async throws {
        let commitment = try await store.put(owner: "a", [SealedItem(id: "i", content: [UInt8](repeating: 1, count: 70_000))])[0]
        let name = try BlobName(space: "content", digest: commitment)
        let stored = try await blobs.bytes(of: name).collect(upTo: 1 << 20)
        var generator = Seed.generator()
        let places =
            [0, 8, 9, 20, 40, 63, 64, 65_599, 65_600, stored.count - 1]
            + (0..<20).map { _ in Int.random(in: 0..<stored.count, using: &generator) }
        for place in places {
            var changed = stored
            changed[place] ^= 1
            try await replace(name, changed)
            await #expect(throws: BlobError.self, "byte \(place)") {
                try await store.content(owner: "a", commitment: commitment).collect(upTo: 70_000)
            }
            await #expect(throws: BlobError.self, "byte \(place)") {
                try await store.content(owner: "a", commitment: commitment, upTo: 70_000)
            }
        }
        // Cut where a chunk ends, and anywhere else.
        for count in [0, 10, 64, 79, 80, 64 + 65_552, stored.count - 1] {
            try await replace(name, Array(stored[..<count]))
            await #expect(throws: BlobError.self, "cut to \(count)") {
                try await store.content(owner: "a", commitment: commitment).collect(upTo: 70_000)
            }
        }
        try await replace(name, stored)
        #expect(try await store.content(owner: "a", commitment: commitment, upTo: 70_000).count == 70_000)
    }

    @Test func oneBlobCannotStandForAnother() async throws {
        let commitments = try await store.put(
            owner: "a", [SealedItem(id: "1", content: Array("one".utf8)), SealedItem(id: "2", content: Array("two".utf8))])
        let names = try commitments.map { try BlobName(space: "content", digest: $0) }
        try await replace(names[0], try await blobs.bytes(of: names[1]).collect(upTo: 1000))
        await #expect(throws: BlobError.self) { try await store.content(owner: "a", commitment: commitments[0], upTo: 10) }
    }

    @Test func anotherOwnerReadsNothing() async throws {
        let commitment = try await store.put(owner: "a", [SealedItem(id: "1", content: Array("one".utf8))])[0]
        _ = try await store.put(owner: "b", [SealedItem(id: "1", content: Array("one".utf8))])
        await #expect(throws: BlobError.self) { try await store.content(owner: "b", commitment: commitment, upTo: 10) }
        await #expect(throws: BlobError.noKey(owner: "c")) { try await store.content(owner: "c", commitment: commitment, upTo: 10) }
    }

    @Test func afterErasureTheContentIsUnreadableForEver() async throws {
        let item = SealedItem(id: "1", content: Array("one".utf8))
        let commitment = try await store.put(owner: "a", [item])[0]
        _ = try await keys.destroy(owner: "a", time: "2026-01-02T03:04:05.000000Z")
        await #expect(throws: BlobError.erased(owner: "a")) { try await store.content(owner: "a", commitment: commitment, upTo: 10) }
        await #expect(throws: BlobError.erased(owner: "a")) { try await store.put(owner: "a", [item]) }
        _ = try await keys.renew(owner: "a")
        await #expect(throws: BlobError.erased(owner: "a")) { try await store.content(owner: "a", commitment: commitment, upTo: 10) }
        #expect(try await store.put(owner: "a", [item])[0] != commitment, "a new key commits anew")
    }

    @Test func oneItemCanGoWhileTheOthersStay() async throws {
        let commitments = try await store.put(
            owner: "a", [SealedItem(id: "1", content: Array("one".utf8)), SealedItem(id: "2", content: Array("two".utf8))])
        try await store.remove(commitment: commitments[0])
        await #expect(throws: BlobError.self) { try await store.content(owner: "a", commitment: commitments[0], upTo: 10) }
        #expect(try await store.content(owner: "a", commitment: commitments[1], upTo: 10) == Array("two".utf8))
    }

    @Test func aLimitIsALimit() async throws {
        let commitment = try await store.put(owner: "a", [SealedItem(id: "1", content: [UInt8](repeating: 1, count: 1000))])[0]
        await #expect(throws: BlobError.tooLarge(what: "the content", limit: 999)) {
            try await store.content(owner: "a", commitment: commitment, upTo: 999)
        }
    }

    @Test(arguments: ["", "two\nlines", String(repeating: "d", count: 65)])
    func aDomainIsOneLine(text: String) {
        #expect(throws: BlobError.badDomain(text)) { try CommitmentDomain(text) }
    }

    private func replace(_ name: BlobName, _ bytes: [UInt8]) async throws {
        try await blobs.remove(name)
        try await blobs.put(name, BlobBytes(bytes))
    }
}
