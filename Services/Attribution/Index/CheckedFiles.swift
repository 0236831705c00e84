internal import Crypto
import Glibc
internal import Synchronization

/// Files whose hash this process has found, and that nobody has touched since: what an index shares with the one before is not read again
/// each time that a little comes to it.
///
/// A file is known by its inode, its size and when it was last written. One that was written within two seconds before it was looked at is
/// not remembered: the clock of a file system is coarse, and it might be written again within the same tick.
final class CheckedFiles: Sendable {
    static let shared = CheckedFiles()

    private struct Key: Hashable {
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    private let known = Mutex<[Key: Digest]>([:])
    /// Most files that are remembered; at that many all are forgotten, and found anew.
    private static let most = 10_000

    /// The hash of a file as it lies there.
    func digest(of file: MappedFile) -> Digest {
        let key = Key(
            device: UInt64(file.status.st_dev), inode: UInt64(file.status.st_ino), size: Int64(file.status.st_size),
            seconds: file.status.st_mtim.tv_sec, nanoseconds: file.status.st_mtim.tv_nsec)
        if let digest = known.withLock({ $0[key] }) { return digest }
        let digest = file.digest()
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        if now.tv_sec - key.seconds > 2 {
            known.withLock { known in
                if known.count >= Self.most { known.removeAll() }
                known[key] = digest
            }
        }
        return digest
    }
}
