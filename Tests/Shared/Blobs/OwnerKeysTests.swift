import Blobs
import Crypto
import Foundation
import TestSupport
import Testing

@Suite struct OwnerKeysTests {
    let folder: TemporaryFolder
    let records: FolderKeyRecords

    init() throws {
        folder = try TemporaryFolder("keys")
        records = try FolderKeyRecords(root: folder.path + "/keys")
    }

    func keys(_ masters: MasterKey...) throws -> OwnerKeys { try OwnerKeys(masters: masters, records: records) }

    @Test func anOwnerHasOneKeyHoweverManyAskAtOnce() async throws {
        let keys = try keys(try MasterKey(Random.bytes(32)))
        let ids = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<20 { group.addTask { try await keys.keyOrNew(of: "did:key:a").id } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }

    @Test func saltsAreTheSameOnEveryRunAndDifferByOwnerAndItem() async throws {
        let master = try MasterKey([UInt8](repeating: 7, count: 32))
        let first = try await keys(master).keyOrNew(of: "a")
        let again = try await OwnerKeys(masters: [master], records: FolderKeyRecords(root: folder.path + "/keys")).key(of: "a")
        let other = try await keys(master).keyOrNew(of: "b")
        #expect(first.salt(item: "1") == again.salt(item: "1"))
        #expect(first.salt(item: "1") != first.salt(item: "2"))
        #expect(first.salt(item: "1") != other.salt(item: "1"))
    }

    @Test func aDestroyedKeyIsGoneWithAReceiptThatStaysTheSame() async throws {
        let keys = try keys(try MasterKey(Random.bytes(32)))
        let key = try await keys.keyOrNew(of: "a")
        let receipt = try await keys.destroy(owner: "a", time: "2026-01-02T03:04:05.000000Z")
        #expect(receipt.owner == "a" && receipt.generation == 1 && receipt.time == "2026-01-02T03:04:05.000000Z")
        #expect(try await keys.destroy(owner: "a", time: "2027-01-01T00:00:00.000000Z") == receipt)
        #expect(try await keys.receipt(owner: "a") == receipt)
        await #expect(throws: BlobError.erased(owner: "a")) { try await keys.key(of: "a") }
        await #expect(throws: BlobError.erased(owner: "a")) { try await keys.keyOrNew(of: "a") }
        let next = try await keys.renew(owner: "a")
        #expect(next.id != key.id)
        #expect(next.salt(item: "1") != key.salt(item: "1"))
        #expect(try await keys.renew(owner: "a").id == next.id, "a living key is not renewed")
    }

    @Test func nothingOfADestroyedKeyStaysInTheFolder() async throws {
        let keys = try keys(try MasterKey(Random.bytes(32)))
        _ = try await keys.keyOrNew(of: "a")
        let path = try #require(files().first)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        // A second name for the same file shows what happens to the bytes on disk.
        let second = folder.path + "/second"
        #expect(link(path, second) == 0)
        _ = try await keys.destroy(owner: "a", time: "2026-01-02T03:04:05.000000Z")
        #expect(try Data(contentsOf: URL(fileURLWithPath: second)) == Data(count: before.count))
        #expect(!String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self).contains("wrapped"))
        #expect(try files().count == 1)
    }

    @Test func anotherMasterKeyOrAChangedRecordOpensNothing() async throws {
        let master = try MasterKey(Random.bytes(32))
        _ = try await keys(master).keyOrNew(of: "a")
        _ = try await keys(master).keyOrNew(of: "b")
        await #expect(throws: BlobError.self) { try await keys(try MasterKey(Random.bytes(32))).key(of: "a") }
        // The record of one owner in the place of another's.
        let a = try #require(try await records.load(owner: "a"))
        let b = try #require(try await records.load(owner: "b"))
        #expect(try await records.replace(owner: "a", a, with: b))
        await #expect(throws: BlobError.self) { try await keys(master).key(of: "a") }
        let forged = String(decoding: b, as: UTF8.self).replacing("\"owner\":\"b\"", with: "\"owner\":\"a\"")
        #expect(try await records.replace(owner: "a", b, with: Array(forged.utf8)))
        await #expect(throws: BlobError.badKeyRecord(owner: "a", reason: "it was changed")) { try await keys(master).key(of: "a") }
    }

    @Test func aKeyMovesToANewMasterKey() async throws {
        let old = try MasterKey(Random.bytes(32))
        let new = try MasterKey(Random.bytes(32))
        let key = try await keys(old).keyOrNew(of: "a")
        try await keys(new, old).rewrap(owner: "a")
        #expect(try await keys(new).key(of: "a").id == key.id)
        await #expect(throws: BlobError.self) { try await keys(old).key(of: "a") }
    }

    @Test func theMasterKeyFileIsMadeOnceAndKeptFromOthers() throws {
        let path = folder.path + "/master.key"
        let made = try MasterKey.loadOrCreate(path)
        #expect(try MasterKey.loadOrCreate(path).id == made.id)
        #expect(chmod(path, 0o644) == 0)
        #expect(throws: BlobError.self) { try MasterKey.loadOrCreate(path) }
        #expect(chmod(path, 0o600) == 0)
        try folder.write("not a key", to: "master.key")
        #expect(throws: BlobError.self) { try MasterKey.loadOrCreate(path) }
    }

    private func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path + "/keys").map { folder.path + "/keys/" + $0 }
            .filter { path in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
            }
    }
}
