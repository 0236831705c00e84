import Glibc

/// A user of the operating system, by name and numbers.
public struct Account: Sendable, Equatable {
    /// Login name.
    public let name: String
    /// User id.
    public let uid: UInt32
    /// Primary group id.
    public let gid: UInt32

    /// Looks an account up; nil when the system does not know it.
    public static func named(_ name: String) -> Account? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return Account(name: name, uid: entry.pw_uid, gid: entry.pw_gid)
    }

    /// Whether this process runs as root.
    public static var isRoot: Bool { geteuid() == 0 }

    /// The account a server should run as: PostgreSQL refuses to run as root, so root gives way to `postgres` (or
    /// `nobody` where that does not exist). Nil when this process may keep its own account.
    static func forServer() throws(ClusterError) -> Account? {
        guard isRoot else { return nil }
        guard let account = named("postgres") ?? named("nobody") else { throw .noAccount }
        return account
    }
}
