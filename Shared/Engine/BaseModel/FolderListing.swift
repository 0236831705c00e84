internal import Glibc

/// The files of a folder and the folders in it.
enum FolderListing {
    /// Paths below the folder of the files with that ending, in the order of their bytes. Links are not followed.
    static func files(in folder: String, ending: String, atMost limit: Int) throws(FormatError) -> [String] {
        var found: [String] = []
        try walk(folder, "", ending, limit, 0, &found)
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func walk(
        _ root: String, _ below: String, _ ending: String, _ limit: Int, _ depth: Int, _ found: inout [String]
    ) throws(FormatError) {
        let path = root + "/" + below
        guard depth < 8, let handle = opendir(path) else { throw .fromSystem("cannot be listed", path) }
        defer { closedir(handle) }
        var folders: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard name != ".", name != "..", lstat(path + name, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR { folders.append(name) }
            if status.st_mode & S_IFMT == S_IFREG, name.hasSuffix(ending) { found.append(below + name) }
            guard found.count <= limit else { throw FormatError(.tooLarge, file: root, "holds more than \(limit) files \(ending)") }
        }
        for name in folders { try walk(root, below + name + "/", ending, limit, depth + 1, &found) }
    }
}
