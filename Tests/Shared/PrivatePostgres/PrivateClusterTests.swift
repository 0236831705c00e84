import Foundation
import PrivatePostgres
import TestSupport
import Testing

/// Real servers; each test has its own. Serial, so that a small machine starts one at a time.
@Suite(.serialized) struct PrivateClusterTests {
    /// Runs SQL through psql.
    private func sql(_ text: String, _ cluster: PrivateCluster, url: String? = nil) async throws -> Subprocess.Outcome {
        try await Subprocess.run([cluster.programs.path("psql"), "-XqAt", "-d", url ?? cluster.url(), "-c", text])
    }

    private let quick = ["shared_buffers": "16MB"]

    @Test func keepsItsDataOverStopsKillsAndRestarts() async throws {
        let folder = try TemporaryFolder("pg")
        let cluster = try await PrivateCluster.start(directory: folder.path("db"), options: ClusterOptions(settings: quick))
        #expect(try await sql("create table kept (n int); insert into kept values (1)", cluster).status.isSuccess)

        try await cluster.kill()
        #expect(await cluster.pid == nil)
        await #expect(throws: ClusterError.notRunning) { try await cluster.kill() }
        try await cluster.restart()
        #expect(try await sql("insert into kept values (2) returning n", cluster).output == "2\n")
        try await cluster.restart(mode: .immediate)
        try await cluster.stop()

        let again = try await PrivateCluster.start(directory: folder.path("db"), options: ClusterOptions(settings: quick))
        #expect(try await sql("select sum(n) from kept", again).output == "3\n")
        #expect(try await sql("show data_checksums", again).output == "on\n")
        #expect(try await sql("show fsync", again).output == "on\n")
        #expect(try await sql("show server_encoding", again).output == "UTF8\n")
        #expect(try await sql("select datcollate from pg_database where datname = current_database()", again).output == "C\n")
        try await again.stop()
    }

    @Test func aSecondOwnerOfTheFolderIsRefused() async throws {
        let folder = try TemporaryFolder("pg")
        let cluster = try await PrivateCluster.start(directory: folder.path("db"), options: ClusterOptions(settings: quick))
        let error = await #expect(throws: ClusterError.self) { try await PrivateCluster.start(directory: folder.path("db")) }
        #expect("\(try #require(error))".contains("in use by another running process (process \(getpid()))"))
        try await cluster.stop()
    }

    @Test func aServerLeftRunningByAKilledOwnerIsReplaced() async throws {
        let folder = try TemporaryFolder("pg")
        var cluster: PrivateCluster? = try await PrivateCluster.start(
            directory: folder.path("db"), options: ClusterOptions(settings: quick, stopsWithParent: false))
        let orphan = try #require(await cluster?.pid)
        // Letting go of the owner gives up the folder's lock, as its death would, and leaves the server running.
        cluster = nil
        #expect(kill(orphan, 0) == 0)
        let next = try await PrivateCluster.start(directory: folder.path("db"), options: ClusterOptions(settings: quick))
        #expect(await next.pid != orphan)
        #expect(kill(orphan, 0) != 0)
        #expect(try await sql("select 1", next).output == "1\n")
        try await next.stop()
    }

    @Test func theServerStopsWhenItsOwnerIsKilled() async throws {
        let folder = try TemporaryFolder("pg")
        let path = folder.path("db")
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            _ = try await PrivateCluster.start(directory: path, options: ClusterOptions(settings: ["shared_buffers": "16MB"]))
            kill(getpid(), SIGKILL)
        }
        // A clean stop removes the process file last.
        #expect(FileManager.default.fileExists(atPath: path + "/data/PG_VERSION"))
        try await eventually("the server to stop") { !FileManager.default.fileExists(atPath: path + "/data/postmaster.pid") }
    }

    @Test func aProcessFileThatNamesAnotherProgramDoesNotStopAStart() async throws {
        let folder = try TemporaryFolder("pg")
        let cluster = try await PrivateCluster.start(directory: folder.path("db"), options: ClusterOptions(settings: quick))
        try await cluster.kill()
        // The id of the dead server has been given to somebody else: this process.
        let file = folder.path("db/data/postmaster.pid")
        let rest = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").dropFirst().joined(separator: "\n")
        try "\(getpid())\n\(rest)\n".write(toFile: file, atomically: false, encoding: .utf8)
        try await cluster.restart()
        #expect(try await sql("select 1", cluster).output == "1\n")
        try await cluster.stop()
    }

    @Test func aHalfMadeClusterIsMadeAfresh() async throws {
        let folder = try TemporaryFolder("pg")
        try FileManager.default.createDirectory(atPath: folder.path("db/data.new/base"), withIntermediateDirectories: true)
        try folder.write("15\n", to: "db/data.new/PG_VERSION")
        let cluster = try await PrivateCluster.start(directory: folder.path("db"), options: ClusterOptions(settings: quick))
        #expect(try await sql("select 1", cluster).output == "1\n")
        try await cluster.stop()
    }

    @Test func aLongPathAndAFolderNobodyElseMayEnterAreServed() async throws {
        let folder = try TemporaryFolder("pg")
        let deep = folder.path("closed/" + String(repeating: "a long name ", count: 9))
        try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
        chmod(folder.path("closed"), 0o700)
        let cluster = try await PrivateCluster.start(directory: deep + "/db", options: ClusterOptions(settings: quick))
        #expect(cluster.socketDirectory.utf8.count < 60)
        #expect(try await sql("select 1", cluster).output == "1\n")
        try await cluster.kill()
        try await cluster.restart()
        #expect(try await sql("select pg_reload_conf()", cluster).output == "t\n")
        try await cluster.stop()
        #expect(!FileManager.default.fileExists(atPath: cluster.socketDirectory))
    }

    @Test func onlyTheServersAccountCanReachTheSocket() async throws {
        let folder = try TemporaryFolder("pg")
        let cluster = try await PrivateCluster.start(directory: folder.path("db"), options: ClusterOptions(settings: quick))
        var info = stat()
        #expect(stat(cluster.socketDirectory, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o700)
        #expect(info.st_uid != 0)
        if Account.isRoot, let nobody = Account.named("nobody") {
            let outcome = try await Subprocess.run(
                [cluster.programs.path("psql"), "-XqAt", "-d", cluster.url(), "-c", "select 1"], .init(account: nobody))
            #expect(!outcome.status.isSuccess)
            #expect(outcome.output.contains("ermission denied"))
        }
        #expect(try await sql("show listen_addresses", cluster).output == "\n")
        try await cluster.stop()
    }

    @Test func tcpIsOnlyOpenWhenAskedForAndThenAsksForAPassword() async throws {
        let folder = try TemporaryFolder("pg")
        let cluster = try await PrivateCluster.start(
            directory: folder.path("db"), options: ClusterOptions(settings: quick, tcp: .loopback(port: 0)))
        let door = "127.0.0.1:\(cluster.port)/openledger"
        let refused = try await sql("select 1", cluster, url: "postgresql://openledger:wrong@\(door)")
        #expect(refused.output.contains("password authentication failed"))
        let let_in = try await sql("select 1", cluster, url: "postgresql://openledger:\(try cluster.password())@\(door)")
        #expect(let_in.output == "1\n")
        try await cluster.stop()
    }

    @Test func aSettingTheServerRefusesIsReportedInItsWords() async throws {
        let folder = try TemporaryFolder("pg")
        let error = await #expect(throws: ClusterError.self) {
            try await PrivateCluster.start(directory: folder.path("db"), options: ClusterOptions(settings: ["no_such_setting": "1"]))
        }
        #expect("\(try #require(error))".contains("no_such_setting"))
    }

    @Test func dataOfAnotherVersionIsLeftAlone() async throws {
        let folder = try TemporaryFolder("pg")
        try FileManager.default.createDirectory(atPath: folder.path("db/data"), withIntermediateDirectories: true)
        try folder.write("9\n", to: "db/data/PG_VERSION")
        let error = await #expect(throws: ClusterError.self) { try await PrivateCluster.start(directory: folder.path("db")) }
        #expect("\(try #require(error))".contains("holds a PostgreSQL 9 cluster"))
    }
}
