import Glibc

/// PostgreSQL's programs on this machine.
public struct PostgresPrograms: Sendable, Equatable {
    /// Their folder.
    public let folder: String
    /// Their major version, at least 15.
    public let majorVersion: Int

    /// The path of one of them.
    public func path(_ program: String) -> String { folder + "/" + program }

    /// Looks in OPENLEDGER_PG_BIN, or else where Debian and others put them, and in PATH.
    /// - Parameter version: the major version an existing cluster needs; nil takes the newest.
    /// - Throws: `ClusterError.noBinaries`.
    public static func find(version wanted: Int? = nil) async throws -> PostgresPrograms {
        let places = candidates()
        var found: [PostgresPrograms] = []
        for place in places where access(place + "/postgres", X_OK) == 0 && access(place + "/initdb", X_OK) == 0 {
            guard let version = try await version(of: place + "/postgres"), version >= 15 else { continue }
            found.append(PostgresPrograms(folder: place, majorVersion: version))
        }
        if let wanted, let match = found.first(where: { $0.majorVersion == wanted }) { return match }
        guard let newest = found.max(by: { $0.majorVersion < $1.majorVersion }) else {
            throw ClusterError.noBinaries(lookedIn: places)
        }
        return newest
    }

    private static func candidates() -> [String] {
        if let given = Files.environment("OPENLEDGER_PG_BIN") { return [given] }
        var places: [String] = []
        for root in ["/usr/lib/postgresql", "/usr/local/lib/postgresql"] {
            places += Files.names(in: root).sorted().map { "\(root)/\($0)/bin" }
        }
        places += Files.names(in: "/usr").filter { $0.hasPrefix("pgsql-") }.map { "/usr/\($0)/bin" }
        return places + (Files.environment("PATH") ?? "").split(separator: ":").map(String.init)
    }

    /// Reads `postgres (PostgreSQL) 15.18 (…)`.
    private static func version(of program: String) async throws -> Int? {
        let outcome = try await Subprocess.run([program, "--version"], timeout: .seconds(10))
        let words = outcome.output.split(whereSeparator: \.isWhitespace)
        return words.dropFirst(2).first.flatMap { Int($0.prefix { $0.isASCII && $0.isNumber }) }
    }
}
