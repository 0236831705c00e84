import Blobs
import Crypto
import Foundation
import TestSupport
import Testing

@Suite struct FolderBlobStoreTests {
    @Test func keepsItsContract() async throws {
        let folder = try TemporaryFolder("blobs")
        try await StoreContract.check(try FolderBlobStore(root: folder.path), largest: 3_000_000)
    }

    @Test func whatIsKeptIsThereForTheNextProcessAndReadableByItsOwnerOnly() async throws {
        let folder = try TemporaryFolder("blobs")
        let name = try StoreContract.name("kept")
        try await FolderBlobStore(root: folder.path).put(name, [1, 2, 3])
        #expect(try await FolderBlobStore(root: folder.path).bytes(of: name).collect(upTo: 3) == [1, 2, 3])
        let hex = name.digest.hex
        let path = "\(folder.path)/test/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)"
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func noDraftIsLeftBehind() async throws {
        let folder = try TemporaryFolder("blobs")
        let store = try FolderBlobStore(root: folder.path)
        try await StoreContract.check(store, largest: 70_000)
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.contains(".") }
        #expect(left.isEmpty)
    }

    @Test func writersOfOneNameAtOnceLeaveOneWholeBlob() async throws {
        let folder = try TemporaryFolder("blobs")
        let store = try FolderBlobStore(root: folder.path)
        let name = try StoreContract.name("contested")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    try await store.put(name, StoreContract.pieces([UInt8](repeating: UInt8(writer), count: 100_000), of: 1000))
                }
            }
            try await group.waitForAll()
        }
        let bytes = try await store.bytes(of: name).collect(upTo: 200_000)
        #expect(bytes.count == 100_000 && Set(bytes).count == 1)
    }

    @Test func putsThatComeTogetherAreAllKeptAndOneThatFailsFailsAlone() async throws {
        let folder = try TemporaryFolder("blobs")
        let store = try FolderBlobStore(root: folder.path)
        let blocked = try StoreContract.name("blocked")
        // A file lies where the blob's folder would be.
        let space = folder.path + "/test"
        try FileManager.default.createDirectory(atPath: space, withIntermediateDirectories: true)
        #expect(FileManager.default.createFile(atPath: space + "/" + blocked.digest.hex.prefix(2), contents: nil))
        let names = try (0..<300).map { try StoreContract.name("together \($0)") }.filter { $0.digest.bytes[0] != blocked.digest.bytes[0] }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, name) in names.enumerated() {
                // Some bring several, some bring what others bring.
                let own = NamedBlob(name, [UInt8](repeating: UInt8(number % 250), count: 100 + number))
                let next = (number + 1) % names.count
                let other = NamedBlob(names[next], [UInt8](repeating: UInt8(next % 250), count: 100 + next))
                group.addTask { try await store.put(number % 3 == 0 ? [own, other] : [own]) }
            }
            group.addTask { await #expect(throws: BlobError.self) { try await store.put([NamedBlob(blocked, [1])]) } }
            try await group.waitForAll()
        }
        for (number, name) in names.enumerated() {
            let bytes = try await store.bytes(of: name).collect(upTo: 1_000)
            #expect(bytes == [UInt8](repeating: UInt8(number % 250), count: 100 + number))
        }
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.contains(".") }
        #expect(left.isEmpty)
    }

    @Test func aFileThatShrinksWhileItIsReadIsAnError() async throws {
        let folder = try TemporaryFolder("blobs")
        let store = try FolderBlobStore(root: folder.path)
        let name = try StoreContract.name("cut")
        try await store.put(name, [UInt8](repeating: 7, count: 600_000))
        let hex = name.digest.hex
        let path = "\(folder.path)/test/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)"
        var iterator = try await store.bytes(of: name).makeAsyncIterator()
        _ = try await iterator.next()
        #expect(truncate(path, 300_000) == 0)
        await #expect(throws: BlobError.damaged(name, reason: "it ends early")) {
            while try await iterator.next() != nil {}
        }
    }

    @Test(arguments: ["relative/folder", ""])
    func aFolderHasToBeAnAbsolutePath(path: String) {
        #expect(throws: BlobError.badSetting(name: "the blob folder", reason: "has to be an absolute path")) {
            try FolderBlobStore(root: path)
        }
    }

    @Test(arguments: ["", "Upper", "with/slash", "..", String(repeating: "a", count: 33)])
    func aSpaceCannotLeadElsewhere(space: String) {
        #expect(throws: BlobError.badSpace(space)) { try BlobName(space: space, digest: .zero) }
    }
}
