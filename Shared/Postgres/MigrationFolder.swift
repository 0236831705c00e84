internal import Glibc

/// Reads `migrations/<service>/NNNN_what.sql`.
enum MigrationFolder {
    /// Files above this are no migrations.
    private static let largest = 16 << 20

    /// All migrations, services in the order given, files in the order of their numbers.
    /// - Parameter services: nil for every folder there, by name.
    static func read(_ folder: String, services: [String]?) throws(MigrationError) -> [Migration] {
        var all: [Migration] = []
        var folders = services ?? []
        if services == nil { folders = try names(in: folder).filter { isFolder("\(folder)/\($0)") } }
        for service in folders {
            var found: [Migration] = []
            for file in try names(in: "\(folder)/\(service)") where file.hasSuffix(".sql") {
                found.append(try Migration(service: service, file: file, bytes: bytes("\(folder)/\(service)/\(file)")))
            }
            for (first, second) in zip(found, found.dropFirst()) where first.number == second.number {
                throw .duplicateNumber(first.description, second.description)
            }
            all += found
        }
        return all
    }

    private static func names(in path: String) throws(MigrationError) -> [String] {
        guard let folder = opendir(path) else { throw .unreadable(path) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func bytes(_ path: String) throws(MigrationError) -> [UInt8] {
        guard let file = fopen(path, "rbe") else { throw .unreadable(path) }
        defer { fclose(file) }
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            if count == 0 { break }
            all += piece[..<count]
            guard all.count <= largest else { throw .unreadable(path) }
        }
        guard ferror(file) == 0 else { throw .unreadable(path) }
        return all
    }
}
