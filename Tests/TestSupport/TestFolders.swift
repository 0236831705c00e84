import Foundation
import Glibc
import Synchronization
import Threads

/// The folder of this process's private server: removed at exit, and those of processes that were killed at the next start.
enum TestFolders {
    private static let prefix = "openledger-tests-"
    private static let claimed = Lock<String?>(nil)

    /// The folder for this process's server, which is stopped and removed at exit.
    static func claim() throws -> String {
        let path = NSTemporaryDirectory() + "/" + prefix + "\(getpid())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        claimed.withLock { $0 = path }
        atexit { TestFolders.removeAtExit() }
        return path + "/pg"
    }

    /// Removes what killed test processes left.
    static func sweep() {
        let root = NSTemporaryDirectory()
        for name in (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [] where name.hasPrefix(prefix) {
            guard let owner = Int32(name.dropFirst(prefix.count)), kill(owner, 0) != 0, errno == ESRCH else { continue }
            remove(root + "/" + name)
        }
    }

    private static func removeAtExit() {
        if let path = claimed.withLock({ $0 }) { remove(path) }
    }

    /// Stops the server in a folder at once and removes the folder.
    private static func remove(_ path: String) {
        let line = (try? String(contentsOfFile: path + "/pg/data/postmaster.pid", encoding: .utf8))?.split(separator: "\n").first
        let data = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(line ?? "0")/cwd")
        if let pid = line.flatMap({ Int32($0) }), data?.hasSuffix(path + "/pg/data") == true {
            kill(pid, SIGQUIT)
            for _ in 0..<500 where kill(pid, 0) == 0 { usleep(10_000) }
        }
        try? FileManager.default.removeItem(atPath: path)
    }
}
