import Glibc

/// A PostgreSQL server of our own: its folder, its account, its life. It is reached over a UNIX socket that nobody else
/// on the machine can open, keeps its data over restarts, and recovers by itself from any way it or its owner died.
public actor PrivateCluster {
    /// How a server is stopped.
    public enum StopMode: Sendable {
        /// Open transactions are rolled back, and a checkpoint is written: the next start is quick.
        case fast
        /// At once, without a checkpoint: the next start recovers from the write-ahead log.
        case immediate
    }

    /// The folder that holds everything.
    public nonisolated let directory: String
    /// The superuser's name.
    public nonisolated let superuser = "openledger"
    /// The database made on first start.
    public nonisolated let database: String
    /// The folder of the socket: libpq's `host`.
    public nonisolated let socketDirectory: String
    /// The port; part of the socket's name, and the TCP port where that is on.
    public nonisolated let port: Int
    /// PostgreSQL's programs that run it (psql, pg_dump … lie there too).
    public nonisolated let programs: PostgresPrograms

    private let folder: ClusterFolder
    private let options: ClusterOptions
    private var lock: FolderLock?
    private var server: Subprocess?

    /// Starts the cluster in `directory`, making it on first use.
    /// - Throws: `ClusterError`, which says what to do.
    public static func start(directory: String, options: ClusterOptions = ClusterOptions()) async throws -> PrivateCluster {
        let folder = try ClusterFolder(directory)
        let lock = try FolderLock(folder.directory)
        let programs = try await PostgresPrograms.find(version: folder.dataVersion)
        if let has = folder.dataVersion, has != programs.majorVersion {
            throw ClusterError.otherVersion(directory: folder.directory, has: "\(has)", programs: "\(programs.majorVersion)")
        }
        if folder.dataVersion == nil { try await ClusterMaker(folder: folder, programs: programs).make() }
        try await OrphanServer.stop(in: folder)

        var port = 5432
        if case .loopback(let asked) = options.tcp { port = try asked == 0 ? LoopbackPort.free() : asked }
        let cluster = PrivateCluster(
            folder: folder, options: options, programs: programs, lock: lock, socketDirectory: try folder.makeSocketFolder(), port: port)
        try await cluster.launch()
        try await cluster.makeDatabase()
        return cluster
    }

    private init(
        folder: ClusterFolder, options: ClusterOptions, programs: PostgresPrograms, lock: FolderLock, socketDirectory: String, port: Int
    ) {
        self.folder = folder
        self.options = options
        self.programs = programs
        self.lock = lock
        self.socketDirectory = socketDirectory
        self.port = port
        directory = folder.directory
        database = options.database
    }

    /// The server's process id; nil when it does not run.
    public var pid: Int32? { server.flatMap { $0.status == nil ? $0.pid : nil } }

    /// A connection string over the socket.
    public nonisolated func url(database: String? = nil, user: String? = nil) -> String {
        let parts = [user ?? superuser, database ?? self.database, socketDirectory].map(percentEncoded)
        return "postgresql://\(parts[0])@/\(parts[1])?host=\(parts[2])&port=\(port)"
    }

    /// The superuser's password, which TCP logins are asked for; kept in a file of mode 0600.
    public nonisolated func password() throws -> String {
        guard let text = Files.text(folder.password) else { throw Files.failure(folder.password, "read") }
        return text.trimmingNewlines
    }

    /// Waits until the server ends, for whatever reason.
    public func ended() async throws -> ExitStatus {
        guard let server else { throw ClusterError.notRunning }
        return await server.wait()
    }

    /// Stops the server; does nothing when it does not run.
    public func stop(mode: StopMode = .fast, timeout: Duration = .seconds(60)) async throws {
        if let server, server.status == nil {
            server.send(signal: mode == .fast ? SIGINT : SIGQUIT)
            guard await server.wait(atMost: timeout) != nil else { throw ClusterError.notStopped(after: timeout) }
        }
        server = nil
        folder.removeSocketFolder()
        lock = nil
    }

    /// Kills the server and every process of it at once, as a crash would.
    public func kill() async throws {
        guard let server, server.status == nil else { throw ClusterError.notRunning }
        // Held still first, so that it starts no backend between the look and the kill.
        server.send(signal: SIGSTOP)
        let backends = Processes.children(of: server.pid)
        server.send(signal: SIGKILL)
        for backend in backends { _ = Glibc.kill(backend, SIGKILL) }
        _ = await server.wait()
        while backends.contains(where: Processes.isAlive) { try await Task.sleep(for: .milliseconds(2)) }
        self.server = nil
    }

    /// Starts it again in the same place, stopping it first when it runs.
    public func restart(mode: StopMode = .fast) async throws {
        if let server, server.status == nil {
            server.send(signal: mode == .fast ? SIGINT : SIGQUIT)
            guard await server.wait(atMost: .seconds(60)) != nil else { throw ClusterError.notStopped(after: .seconds(60)) }
        }
        server = nil
        if lock == nil { lock = try FolderLock(directory) }
        try await OrphanServer.stop(in: folder)
        try folder.remakeSocketFolder(socketDirectory)
        try await launch()
    }

    private func launch() async throws {
        try writeConfiguration()
        unlink(folder.startLog)
        let deadline = ContinuousClock.now + options.startTimeout
        while true {
            let server = try await Subprocess.start(
                [programs.path("postgres"), "-D", folder.argument(for: folder.data)],
                .init(
                    environment: ClusterMaker.environment, workingDirectory: "/", passedFolder: folder.passed(folder.data),
                    output: .file(folder.startLog),
                    account: folder.account, signalAtParentsEnd: options.stopsWithParent ? .interrupt : nil))
            self.server = server
            if try await becomesReady(server, by: deadline) { return }
            // Backends of a killed server may live a moment longer and hold its shared memory; they are on their way out.
            let log = folder.logTail
            self.server = nil
            guard log.contains("shared memory block"), ContinuousClock.now < deadline else {
                throw ClusterError.ended(log: log)
            }
            unlink(folder.startLog)
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// - Returns: false when the server ended by itself.
    private func becomesReady(_ server: Subprocess, by deadline: ContinuousClock.Instant) async throws -> Bool {
        let question = [programs.path("pg_isready"), "-q", "-h", socketDirectory, "-p", String(port), "-U", superuser, "-d", "postgres"]
        do {
            while server.status == nil {
                if try await Subprocess.run(question, .init(output: .discarded), timeout: .seconds(10)).status.isSuccess { return true }
                guard ContinuousClock.now < deadline else {
                    throw ClusterError.notReady(after: options.startTimeout, log: folder.logTail)
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            return false
        } catch {
            server.send(signal: SIGQUIT)
            _ = await server.wait(atMost: .seconds(10))
            self.server = nil
            throw error
        }
    }

    private func writeConfiguration() throws {
        let text = ClusterConfiguration(options: options, socketFolder: socketDirectory, port: port)
        try Files.write(text.settings, to: folder.data + "/postgresql.conf", owner: folder.account)
        try Files.write(text.accessRules, to: folder.data + "/pg_hba.conf", owner: folder.account)
        guard let tls = options.tls else { return }
        try Files.write(tls.certificate, to: folder.data + "/" + ClusterFolder.certificateFile, owner: folder.account)
        try Files.write(tls.key, to: folder.data + "/" + ClusterFolder.keyFile, owner: folder.account)
    }

    private func makeDatabase() async throws {
        guard database != "postgres" else { return }
        let connection = ["-h", socketDirectory, "-p", String(port), "-U", superuser]
        let outcome = try await Subprocess.run([programs.path("createdb")] + connection + ["--maintenance-db=postgres", "--", database])
        guard outcome.status.isSuccess || outcome.output.contains("already exists") else {
            throw ClusterError.program(name: "createdb", said: outcome.output)
        }
    }
}

/// RFC 3986 §2.1, of everything but unreserved characters.
func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return text.utf8.reduce(into: "") { result, byte in
        let character = Character(UnicodeScalar(byte))
        if byte < 0x80 && (character.isLetter || character.isNumber || "-._~".contains(character)) {
            result.append(character)
        } else {
            result += "%" + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}
