internal import Glibc
internal import Threads

/// The end of all keys of a folder together.
extension FolderKeyRecords {
    /// Whether there is such a folder.
    public static func exists(_ root: String) -> Bool { access(root, F_OK) == 0 }

    /// The folders of keys that lie in a folder, by name; none where there is no such folder.
    public static func roots(in folder: String) async throws -> [String] {
        try await OSThread.run(name: "keys") { try FileCalls.names(in: folder).sorted() }
    }

    /// Destroys all keys of a folder that nobody uses any more: each record is overwritten with zeros in place and removed, and the
    /// folder goes last, so that an end that was interrupted is taken up again.
    /// - Returns: how many there were.
    public static func destroy(root: String) async throws -> Int {
        try await OSThread.run(name: "keys") {
            var count = 0
            for shelf in try FileCalls.names(in: root) {
                for name in try FileCalls.names(in: "\(root)/\(shelf)") {
                    try wipe("\(root)/\(shelf)/\(name)")
                    count += 1
                }
                guard rmdir("\(root)/\(shelf)") == 0 else { throw FileCalls.failed("remove", "\(root)/\(shelf)") }
            }
            guard rmdir(root) == 0 || errno == ENOENT else { throw FileCalls.failed("remove", root) }
            return count
        }
    }

    private static func wipe(_ path: String) throws(BlobError) {
        let file = try FileCalls.open(path, O_RDWR, "overwrite")
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        guard size >= 0, lseek(file, 0, SEEK_SET) == 0 else { throw FileCalls.failed("overwrite", path) }
        try FileCalls.write(file, [UInt8](repeating: 0, count: size), path)
        try FileCalls.sync(file, path)
        guard unlink(path) == 0 else { throw FileCalls.failed("remove", path) }
    }
}
