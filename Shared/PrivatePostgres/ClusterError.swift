import Glibc

/// Why a private PostgreSQL cannot be had. Each says what to do about it, where anything can be done.
public enum ClusterError: Error, Equatable, CustomStringConvertible {
    /// No PostgreSQL 15 or later was found; the places that were looked at.
    case noBinaries(lookedIn: [String])
    /// Root may not run PostgreSQL, and there is no account to run it as.
    case noAccount
    /// Another live process uses the folder.
    case inUse(directory: String, owner: String)
    /// A file or folder could not be made ready; the system's error number.
    case file(path: String, doing: String, code: Int32)
    /// The folder holds a cluster of another major version than the programs found.
    case otherVersion(directory: String, has: String, programs: String)
    /// One of PostgreSQL's programs failed; the end of what it said.
    case program(name: String, said: String)
    /// The server ended while it started; the end of its log.
    case ended(log: String)
    /// The server was not ready in time; the end of its log.
    case notReady(after: Duration, log: String)
    /// The server did not stop in time.
    case notStopped(after: Duration)
    /// The cluster has been stopped or has ended by itself.
    case notRunning

    /// In words.
    public var description: String {
        switch self {
        case .noBinaries(let places):
            "PostgreSQL 15 or later was not found (looked in \(places.joined(separator: ", "))). "
                + "Install it with: apt-get install postgresql, or name its folder of programs in OPENLEDGER_PG_BIN"
        case .noAccount:
            "PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as. Run as another user"
        case .inUse(let directory, let owner):
            "\(directory) is in use by another running process (\(owner)). Stop that one, or name another folder"
        case .file(let path, let doing, let code): "cannot \(doing) \(path): \(systemMessage(code))"
        case .otherVersion(let directory, let has, let programs):
            "\(directory) holds a PostgreSQL \(has) cluster, and the programs found are of version \(programs). "
                + "Install PostgreSQL \(has) (or name its programs in OPENLEDGER_PG_BIN), or move the data with pg_upgrade"
        case .program(let name, let said): "\(name) failed:\n\(said)"
        case .notReady(let time, let log): "PostgreSQL was not ready after \(time). The end of its log:\n\(log)"
        case .ended(let log): "PostgreSQL ended while starting. The end of its log:\n\(log)"
        case .notStopped(let time): "PostgreSQL did not stop within \(time)"
        case .notRunning: "the private PostgreSQL is not running"
        }
    }
}

/// The system's words for an error number.
func systemMessage(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    // The XSI form: Swift's Glibc is not compiled with _GNU_SOURCE.
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return Files.text(buffer)
}
