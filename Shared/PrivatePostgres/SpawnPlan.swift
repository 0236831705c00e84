import Glibc

/// What posix_spawn is told for one child. Descriptors opened for the child are closed when the plan goes, and so are this
/// side's ends of the pipes unless the child was started and they were taken.
final class SpawnPlan {
    /// This side's end of a pipe that captures output.
    final class Reader {
        private var descriptor: Int32
        let limit: Int

        init(_ descriptor: Int32, limit: Int) {
            self.descriptor = descriptor
            self.limit = limit
        }

        /// Hands the descriptor over to the caller.
        func take() -> Int32 {
            defer { descriptor = -1 }
            return descriptor
        }

        deinit { if descriptor >= 0 { close(descriptor) } }
    }

    private(set) var output: Reader?
    private(set) var errors: Reader?
    private let command: [String]
    private let environment: [String: String]?
    private var actions = posix_spawn_file_actions_t()
    private var attributes = posix_spawnattr_t()
    private var opened: [Int32] = []

    init(_ command: [String], _ options: Subprocess.Options) throws {
        self.command = try Self.wrapped(command, options)
        environment = options.environment
        try check(posix_spawn_file_actions_init(&actions))
        try check(posix_spawnattr_init(&attributes))
        try startAfresh()
        try connectInput(options.input)
        output = try connect(options.output, to: 1)
        if let sink = options.errors {
            errors = try connect(sink, to: 2)
        } else {
            try check(posix_spawn_file_actions_adddup2(&actions, 1, 2))
        }
        try closeTheRest(but: try pass(options.passedFolder))
    }

    deinit {
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
        for descriptor in opened { close(descriptor) }
    }

    /// Starts the child.
    /// - Returns: its process id.
    func launch() throws -> Int32 {
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var variables: [UnsafeMutablePointer<CChar>?] = (environment ?? [:]).map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for variable in variables { free(variable) } }
        var pid: Int32 = 0
        if environment == nil {
            try check(posix_spawnp(&pid, command[0], &actions, &attributes, &arguments, environ))
        } else {
            try check(posix_spawnp(&pid, command[0], &actions, &attributes, &arguments, &variables))
        }
        return pid
    }

    private func check(_ code: Int32) throws {
        if code != 0 { throw Subprocess.StartError(program: command[0], code: code) }
    }

    /// Its own process group: a Ctrl-C at the terminal is for this process, which then stops its children in order. And no
    /// signal blocked or ignored, whatever this thread has.
    private func startAfresh() throws {
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        try check(posix_spawnattr_setsigmask(&attributes, &none))
        try check(posix_spawnattr_setsigdefault(&attributes, &all))
        try check(posix_spawnattr_setpgroup(&attributes, 0))
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        try check(posix_spawnattr_setflags(&attributes, Int16(flags)))
    }

    private func connectInput(_ source: Subprocess.Source) throws {
        switch source {
        case .nothing: try check(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0))
        case .bytes(let bytes): try check(posix_spawn_file_actions_adddup2(&actions, try unlinkedFile(holding: bytes), 0))
        }
    }

    private func connect(_ sink: Subprocess.Sink, to number: Int32) throws -> Reader? {
        switch sink {
        case .inherited: return nil
        case .discarded: try check(posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_WRONLY, 0))
        case .file(let path): try check(posix_spawn_file_actions_addopen(&actions, number, path, O_WRONLY | O_CREAT | O_APPEND, 0o600))
        case .captured(let limit):
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw Subprocess.StartError(program: command[0], code: errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            opened.append(ends[1])
            let reader = Reader(ends[0], limit: limit)
            try check(posix_spawn_file_actions_adddup2(&actions, ends[1], number))
            return reader
        }
        return nil
    }

    /// - Returns: the child's number for the folder, if there is one.
    private func pass(_ folder: String?) throws -> Int32? {
        guard let folder else { return nil }
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Subprocess.StartError(program: "\(command[0]) with \(folder)", code: errno) }
        opened.append(descriptor)
        try check(posix_spawn_file_actions_adddup2(&actions, descriptor, Subprocess.passedFolderNumber))
        return Subprocess.passedFolderNumber
    }

    /// Whatever else this process has open is none of the child's business.
    private func closeTheRest(but passed: Int32?) throws {
        for descriptor in Files.names(in: "/proc/self/fd").compactMap({ Int32($0) }) where descriptor > 2 && descriptor != passed {
            try check(posix_spawn_file_actions_addclose(&actions, descriptor))
        }
    }

    /// A file without a name: the child reads as slowly as it likes, and nobody has to feed a pipe.
    private func unlinkedFile(holding bytes: [UInt8]) throws -> Int32 {
        var template = Array("/tmp/openledger-input-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { throw Subprocess.StartError(program: command[0], code: errno) }
        opened.append(file)
        unlink(template)
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { write(file, $0.baseAddress?.advanced(by: sent), $0.count - sent) }
            guard count > 0 || errno == EINTR else { throw Subprocess.StartError(program: command[0], code: errno) }
            sent += max(count, 0)
        }
        lseek(file, 0, SEEK_SET)
        return file
    }

    /// `env` (coreutils) changes the folder, `setpriv` (util-linux) the account, and arms the parent-death signal: what
    /// posix_spawn cannot do between the start and the program proper. Both give way to the next by exec, so that the
    /// process id is the program's.
    private static func wrapped(_ command: [String], _ options: Subprocess.Options) throws -> [String] {
        guard let program = command.first, !program.isEmpty else { throw Subprocess.StartError(program: "(nothing)", code: EINVAL) }
        var wrapper: [String] = []
        if let folder = options.workingDirectory {
            guard access(folder, X_OK) == 0 else { throw Subprocess.StartError(program: "\(program) in \(folder)", code: errno) }
            wrapper += ["env", "-C", folder]
        }
        var privileges: [String] = []
        if let account = options.account {
            privileges += ["--reuid=\(account.uid)", "--regid=\(account.gid)", "--clear-groups"]
        }
        if let signal = options.signalAtParentsEnd { privileges.append("--pdeathsig=\(signal.rawValue)") }
        if !privileges.isEmpty { wrapper += ["setpriv"] + privileges + ["--"] }
        return wrapper + command
    }
}
