import Foundation
import Glibc
import Synchronization
import Threads

/// The folder of this process's servers: stopped and removed at exit, and those of killed processes at the next start.
enum TestFolders {
    private static let prefix = "openledger-tests-"
    private static let root = Lock<String?>(nil)

    /// A folder for a server, which is stopped and removed at exit.
    /// - Parameter name: `pg` for a cluster; what begins with `kafka` is a broker's.
    static func claim(_ name: String) throws -> String {
        let path = try root.withLock { root in
            if let root { return root }
            let made = try open()
            root = made
            return made
        }
        return path + "/" + name
    }

    private static func open() throws -> String {
        sweep()
        let path = NSTemporaryDirectory() + "/" + prefix + "\(getpid())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        atexit { TestFolders.removeAtExit() }
        return path
    }

    /// Removes what killed test processes left.
    private static func sweep() {
        let root = NSTemporaryDirectory()
        for name in (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [] where name.hasPrefix(prefix) {
            guard let owner = Int32(name.dropFirst(prefix.count)), kill(owner, 0) != 0, errno == ESRCH else { continue }
            remove(root + "/" + name)
        }
    }

    private static func removeAtExit() {
        if let path = root.withLock({ $0 }) { remove(path) }
    }

    /// Stops the servers in a folder at once and removes the folder.
    private static func remove(_ path: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where name.hasPrefix("kafka") {
            killBroker(path + "/" + name)
        }
        let line = (try? String(contentsOfFile: path + "/pg/data/postmaster.pid", encoding: .utf8))?.split(separator: "\n").first
        let data = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(line ?? "0")/cwd")
        if let pid = line.flatMap({ Int32($0) }), data?.hasSuffix(path + "/pg/data") == true {
            kill(pid, SIGQUIT)
            for _ in 0..<500 where kill(pid, 0) == 0 { usleep(10_000) }
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Kills the broker of a folder, if the process that its file names is one.
    static func killBroker(_ folder: String) {
        guard let text = try? String(contentsOfFile: folder + "/pid", encoding: .utf8),
            let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)),
            let command = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8), command.contains(folder)
        else { return }
        kill(pid, SIGKILL)
        for _ in 0..<500 where kill(pid, 0) == 0 { usleep(10_000) }
    }
}
