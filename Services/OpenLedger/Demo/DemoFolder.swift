import Foundation
import Threads

/// The folder that a demo lives in, under the system's folder for temporary files: named by its process, locked by it, and gone with it.
final class DemoFolder: Sendable {
    let path: String
    /// Held locked for as long as the demo lives, by which others know.
    private let lock: Int32

    private static let prefix = "openledger-demo-"

    /// Makes it. What demos left that were killed is removed first. From now on the wish to stop is heard, a closed terminal too: whatever
    /// is being done then, the folder goes with it.
    static func make() async throws -> DemoFolder {
        Signals.listen(hangUp: true)
        return try await OSThread.run(name: "demo-folder") { try DemoFolder() }
    }

    private init() throws {
        let all = FileManager.default.temporaryDirectory
        Self.sweep(all)
        path = all.appendingPathComponent("\(Self.prefix)\(getpid())").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        lock = open(path + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else { throw CommandError("\(path) can't be locked: remove it") }
    }

    deinit { close(lock) }

    /// Removes it with all that is in it.
    func remove() { Self.remove(path) }

    /// Removes the folders of demos that are no more. Their PostgreSQL ended with them.
    private static func sweep(_ all: URL) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: all.path)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let path = all.appendingPathComponent(name).path
            var status = stat()
            // Only our own: anyone may make names there.
            guard lstat(path, &status) == 0, status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR else { continue }
            let lock = open(path + "/lock", O_RDWR | O_CLOEXEC)
            guard lock >= 0 else { continue }
            defer { close(lock) }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { remove(path) }
        }
    }

    private static func remove(_ path: String) {
        // Where the path was too long for a socket, PostgreSQL had a folder elsewhere, and left word of it.
        let record = path + "/home/postgres/socket-folder"
        if let socket = try? String(contentsOfFile: record, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines),
            socket.hasPrefix("/tmp/openledger-pg-")
        {
            try? FileManager.default.removeItem(atPath: socket)
        }
        // The server of a demo that was killed a moment ago may still be writing its last. The lock goes last, so that whatever stays is
        // found again.
        let home = path + "/home"
        for _ in 0..<50 {
            try? FileManager.default.removeItem(atPath: home)
            if !FileManager.default.fileExists(atPath: home) { break }
            usleep(100_000)
        }
        guard !FileManager.default.fileExists(atPath: home) else { return }
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// The person at the terminal had enough, or the terminal is gone.
struct Interrupted: Error, CustomStringConvertible {
    /// As the shell reports a program that SIGINT ended.
    static let status: Int32 = 130

    var description: String { "interrupted; what was made for it is removed" }

    /// Runs `body` until Ctrl-C, SIGTERM or a closed terminal, by which it is cancelled and awaited.
    static func unless(_ body: @escaping @Sendable () async throws -> Void) async throws {
        if Signals.isStopping { throw Interrupted() }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                await Signals.stop()
                return false
            }
            defer { group.cancelAll() }
            guard let isDone = try await group.next() else { return }
            if !isDone {
                group.cancelAll()
                _ = try? await group.next()
                throw Interrupted()
            }
        }
    }
}
