import Glibc

/// A folder held by one process at a time. The kernel lets go of it when the process ends, however it ends, so a lock is
/// never left behind.
final class FolderLock: Sendable {
    private let file: Int32

    /// Takes the lock, or throws `ClusterError.inUse` at once.
    init(_ directory: String) throws(ClusterError) {
        let path = directory + "/lock"
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Files.failure(path, "open") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let owner = Files.text(path).map { $0.split(separator: "\n").first.map(String.init) ?? "" } ?? ""
            throw .inUse(directory: directory, owner: owner.isEmpty ? "unknown" : "process \(owner)")
        }
        // Only for the words of the error above.
        ftruncate(file, 0)
        let line = Array("\(getpid())\n".utf8)
        _ = pwrite(file, line, line.count, 0)
    }

    deinit { close(file) }
}
