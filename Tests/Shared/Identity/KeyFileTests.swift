import Crypto
import Foundation
import Identity
import Testing

@Suite("Key files")
struct KeyFileTests {
    @Test("a key is made once, for its owner only, and found again")
    func creation() async throws {
        try await withFolder { folder in
            let path = folder + "/service.pem"
            let key = try KeyFile.loadOrCreate(path)
            #expect(try mode(path) == 0o600)
            #expect(try KeyFile.loadOrCreate(path).publicKey == key.publicKey)
            #expect(try KeyFile.load(path).publicKey == key.publicKey)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["service.pem"])
        }
    }

    @Test("of many that start at once all get one key")
    func race() async throws {
        try await withFolder { folder in
            let keys = try await withThrowingTaskGroup(of: Ed25519PublicKey.self) { group in
                for _ in 0..<16 { group.addTask { try KeyFile.loadOrCreate(folder + "/k").publicKey } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(keys.count == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["k"])
        }
    }

    @Test("a key that others may read or write is refused, with what to do", arguments: [0o640, 0o604, 0o620, 0o644, 0o666, 0o610])
    func exposed(mode: Int) async throws {
        try await withFolder { folder in
            let path = folder + "/k"
            _ = try KeyFile.loadOrCreate(path)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let error = #expect(throws: FileError.exposed(path: path, mode: UInt32(mode))) { try KeyFile.loadOrCreate(path) }
            #expect(error.map { "\($0)" }?.contains("chmod 600") == true)
            try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: path)
            #expect(throws: Never.self) { try KeyFile.load(path) }
        }
    }

    @Test(
        "what is no key is refused, and never replaced",
        arguments: ["\n", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", String(repeating: "x", count: 20_000)])
    func malformed(content: String) async throws {
        try await withFolder { folder in
            let path = folder + "/k"
            try Data(content.utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(throws: FileError.self) { try KeyFile.loadOrCreate(path) }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(content.utf8))
        }
    }

    @Test("a missing file, a missing folder, a folder and a pipe are refused without waiting")
    func places() async throws {
        try await withFolder { folder in
            #expect(throws: FileError.system(operation: "read", path: folder + "/no", reason: "No such file or directory")) {
                try KeyFile.load(folder + "/no")
            }
            #expect(throws: FileError.self) { try KeyFile.loadOrCreate(folder + "/no/key") }
            #expect(throws: FileError.notAFile(path: folder)) { try KeyFile.load(folder) }
            #expect(mkfifo(folder + "/pipe", 0o600) == 0)
            #expect(throws: FileError.notAFile(path: folder + "/pipe")) { try KeyFile.load(folder + "/pipe") }
        }
    }
}
