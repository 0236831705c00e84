import Glibc

/// What an owner that was killed may leave behind: a server that still runs, or its process file. Only called by the
/// holder of the folder's lock, so no living owner is robbed of its server.
enum OrphanServer {
    static func stop(in folder: ClusterFolder) async throws {
        guard let line = Files.text(folder.processFile)?.split(separator: "\n").first, let pid = Int32(line) else {
            // None, or cut short by a full disk: a server could not start over it.
            unlink(folder.processFile)
            return
        }
        // The id may belong to some other program by now; a server's working folder is its data folder.
        guard Files.target(ofLink: "/proc/\(pid)/cwd") == Files.realPath(folder.data) else {
            unlink(folder.processFile)
            return
        }
        for (signal, patience) in [(SIGINT, Duration.seconds(20)), (SIGQUIT, .seconds(10)), (SIGKILL, .seconds(10))] {
            _ = kill(pid, signal)
            let deadline = ContinuousClock.now + patience
            while Processes.isAlive(pid) && ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
            if !Processes.isAlive(pid) { return }
        }
        throw ClusterError.notStopped(after: .seconds(40))
    }
}

/// A look at other processes, by /proc.
enum Processes {
    /// Direct children. PostgreSQL's backends each lead a session of their own, so that no process group holds them all.
    static func children(of parent: Int32) -> [Int32] {
        Files.names(in: "/proc").compactMap { Int32($0) }.filter { pid in
            // `pid (name) state ppid …`; the name may hold anything, so what counts comes after the last parenthesis.
            guard let line = Files.text("/proc/\(pid)/stat"), let end = line.lastIndex(of: ")") else { return false }
            return line[line.index(after: end)...].split(separator: " ").dropFirst().first.flatMap { Int32($0) } == parent
        }
    }

    /// Whether a process runs; one that waits to be reaped does not.
    static func isAlive(_ pid: Int32) -> Bool {
        guard let line = Files.text("/proc/\(pid)/stat"), let end = line.lastIndex(of: ")") else { return false }
        return line[line.index(after: end)...].split(separator: " ").first.map { $0 != "Z" && $0 != "X" } ?? false
    }
}
