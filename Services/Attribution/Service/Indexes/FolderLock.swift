import Glibc

/// Says to other processes, and other instances in this one, that somebody works in a folder; until it is let go of.
final class FolderLock: Sendable {
    private let descriptor: Int32

    /// Nil where somebody else has it, or the file system knows no locks.
    init?(_ folder: String) {
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }
}
