import Glibc

/// Makes a new cluster. It comes to be in a folder of another name and is renamed when whole, so that a crash half-way
/// leaves nothing that looks like data.
struct ClusterMaker {
    let folder: ClusterFolder
    let programs: PostgresPrograms

    /// Nothing of the caller's locale, time zone or PG* variables gets into a server.
    static var environment: [String: String] {
        ["PATH": Files.environment("PATH") ?? "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"]
    }

    func make() async throws {
        Files.removeTree(folder.draft)
        try Files.makeFolder(folder.draft, owner: folder.account)
        try Files.write(try Self.newPassword() + "\n", to: folder.password, owner: folder.account)
        let draft = folder.argument(for: folder.draft)
        let outcome = try await Subprocess.run(
            [
                programs.path("initdb"), "-D", draft, "--username=openledger", "--encoding=UTF8",
                "--locale=C", "--data-checksums", "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=\(draft)/../password",
                "--no-instructions",
            ],
            .init(environment: Self.environment, workingDirectory: "/", passedFolder: folder.passed(folder.draft), account: folder.account),
            timeout: .seconds(120))
        guard outcome.status.isSuccess else {
            Files.removeTree(folder.draft)
            throw ClusterError.program(name: "initdb", said: outcome.output)
        }
        guard rename(folder.draft, folder.data) == 0 else { throw Files.failure(folder.data, "make") }
        try Files.sync(folder: folder.directory)
    }

    private static func newPassword() throws -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        guard getentropy(&bytes, bytes.count) == 0 else { throw Files.failure("random bytes", "read") }
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
