import Foundation

/// The folder that a demo lives in, under the system's folder for temporary files: named by its process, and gone with it.
struct DemoFolder {
    let path: String

    private static let prefix = "openledger-demo-"

    /// The folder's name for this process; nothing is made yet. What demos left that were killed is removed first.
    init() {
        let all = FileManager.default.temporaryDirectory
        Self.sweep(all)
        path = all.appendingPathComponent("\(Self.prefix)\(getpid())").path
    }

    /// Removes it with all that is in it.
    func remove() { Self.remove(path) }

    /// Removes the folders of demos whose process is no more. Their PostgreSQL ended with them.
    private static func sweep(_ all: URL) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: all.path)) ?? []
        for name in names where name.hasPrefix(prefix) {
            guard let process = Int32(name.dropFirst(prefix.count)), process != getpid(), kill(process, 0) != 0, errno == ESRCH else {
                continue
            }
            let path = all.appendingPathComponent(name).path
            var status = stat()
            // Only our own: anyone may make names there.
            guard lstat(path, &status) == 0, status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR else { continue }
            remove(path)
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
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// The person at the terminal had enough.
struct Interrupted: Error, CustomStringConvertible {
    /// As the shell reports a program that SIGINT ended.
    static let status: Int32 = 130

    var description: String { "interrupted; what was made for it is removed" }

    /// Runs `body` until Ctrl-C or SIGTERM, by which it is cancelled and awaited.
    static func unless(_ body: @escaping @Sendable () async throws -> Void) async throws {
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
