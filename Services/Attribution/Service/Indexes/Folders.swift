import Glibc

/// Folders of the service's own.
enum Folders {
    /// A folder that cannot be made.
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let code: Int32
        var description: String { "cannot create \(path): error \(code)" }
    }

    /// Makes a folder unless it is there.
    static func make(_ path: String) throws(Failure) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Failure(path: path, code: errno) }
    }
}
