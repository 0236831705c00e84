import Glibc
import Synchronization
import Threads

/// A child process. One thread per child starts it, waits for it and reaps it; nothing here holds up the cooperative
/// pool, and a signal is never sent to a process id that has been given to somebody else.
public final class Subprocess: Sendable {
    private struct State {
        var status: ExitStatus?
        var waiters: [CheckedContinuation<ExitStatus, Never>] = []
    }

    /// The child's process id.
    public let pid: Int32
    private let state = Lock(State())
    private let outputTail: OutputTail?
    private let errorsTail: OutputTail?

    private init(pid: Int32, output: OutputTail?, errors: OutputTail?) {
        self.pid = pid
        outputTail = output
        errorsTail = errors
    }

    /// Starts a program.
    /// - Parameter command: the program (looked up in PATH unless it has a slash) and its arguments.
    /// - Throws: `StartError` when it cannot be started.
    public static func start(_ command: [String], _ options: Options = Options()) async throws -> Subprocess {
        try await withCheckedThrowingContinuation { continuation in
            // The thread that starts the child must outlive it: the kernel's parent-death signal is tied to that thread,
            // not to the process.
            OSThread.start(name: "child-wait") {
                do {
                    let child = try spawn(command, options)
                    continuation.resume(returning: child)
                    child.reap()
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    /// Starts a program and waits for its end. Cancelling the task kills it.
    /// - Parameter timeout: after this long it is killed, and the outcome says so.
    public static func run(
        _ command: [String], _ options: Options = Options(), timeout: Duration = .seconds(60)
    ) async throws -> Outcome {
        let child = try await start(command, options)
        return await withTaskCancellationHandler {
            let timer = Task {
                try await Task.sleep(for: timeout)
                child.send(signal: SIGKILL)
                return true
            }
            let status = await child.wait()
            timer.cancel()
            let timedOut = (try? await timer.value) ?? false
            return Outcome(status: status, output: child.output, errors: child.errors, timedOut: timedOut)
        } onCancel: {
            child.send(signal: SIGKILL)
        }
    }

    /// Captured standard output so far (with the errors, where these go the same way).
    public var output: String { outputTail?.text ?? "" }

    /// Captured standard error so far, where captured apart.
    public var errors: String { errorsTail?.text ?? "" }

    /// How it ended; nil while it runs.
    public var status: ExitStatus? { state.withLock { $0.status } }

    /// Waits for its end, and for its captured output to be complete.
    public func wait() async -> ExitStatus {
        let status = await withCheckedContinuation { (continuation: CheckedContinuation<ExitStatus, Never>) in
            let known = state.withLock { state -> ExitStatus? in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let known { continuation.resume(returning: known) }
        }
        await outputTail?.finished()
        await errorsTail?.finished()
        return status
    }

    /// Waits at most `timeout`.
    /// - Returns: how it ended, or nil when it still runs.
    public func wait(atMost timeout: Duration) async -> ExitStatus? {
        let deadline = ContinuousClock.now + timeout
        while status == nil {
            guard ContinuousClock.now < deadline, (try? await Task.sleep(for: .milliseconds(5))) != nil else { return status }
        }
        return await wait()
    }

    /// Sends a signal; does nothing once the child has been reaped.
    /// - Returns: whether there was a child to send it to.
    @discardableResult
    public func send(signal: Int32) -> Bool {
        state.withLock { $0.status == nil && kill(pid, signal) == 0 }
    }

    private func reap() {
        var info = siginfo_t()
        // Waits without reaping: until the status stands in `state`, the id stays taken and `send` stays safe.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        let waiters = state.withLock { state -> [CheckedContinuation<ExitStatus, Never>] in
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) < 0 && errno == EINTR {}
            // The macros WIFSIGNALED, WTERMSIG and WEXITSTATUS of wait(2), which Swift cannot import.
            let signal = raw & 0x7f
            state.status = signal == 0 ? .exited((raw >> 8) & 0xff) : .signalled(signal)
            defer { state.waiters = [] }
            return state.waiters
        }
        outputTail?.childHasEnded()
        errorsTail?.childHasEnded()
        guard let status else { return }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    /// Starts the child on the calling thread.
    private static func spawn(_ command: [String], _ options: Options) throws -> Subprocess {
        let command = try wrapped(command, options)
        let program = command.first ?? ""
        func check(_ code: Int32) throws { if code != 0 { throw StartError(program: program, code: code) } }

        var actions = posix_spawn_file_actions_t()
        try check(posix_spawn_file_actions_init(&actions))
        defer { posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        try check(posix_spawnattr_init(&attributes))
        defer { posix_spawnattr_destroy(&attributes) }

        // Its own process group: a Ctrl-C at the terminal is for this process, which then stops its children in order.
        // No signal blocked or ignored, whatever this thread has.
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        try check(posix_spawnattr_setsigmask(&attributes, &none))
        try check(posix_spawnattr_setsigdefault(&attributes, &all))
        try check(posix_spawnattr_setpgroup(&attributes, 0))
        try check(posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)))

        var opened: [Int32] = []  // the child's ends, closed here once it has them
        var mine: [Int32] = []  // this side's ends, closed when the start fails
        defer { for descriptor in opened { close(descriptor) } }
        func pipePair(_ wire: (Int32) throws -> Void) throws -> Int32 {
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw StartError(program: program, code: errno) }
            opened.append(ends[1])
            mine.append(ends[0])
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            try wire(ends[1])
            return ends[0]
        }
        /// Points one of the child's descriptors at a sink; returns the reading end of a pipe where one is captured.
        func connect(_ sink: Sink, to number: Int32) throws -> (reader: Int32, limit: Int)? {
            switch sink {
            case .inherited: return nil
            case .discarded: try check(posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_WRONLY, 0))
            case .file(let path): try check(posix_spawn_file_actions_addopen(&actions, number, path, O_WRONLY | O_CREAT | O_APPEND, 0o600))
            case .captured(let limit):
                return (try pipePair { try check(posix_spawn_file_actions_adddup2(&actions, $0, number)) }, limit)
            }
            return nil
        }

        do {
            switch options.input {
            case .nothing: try check(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0))
            case .bytes(let bytes):
                let file = try unlinkedFile(holding: bytes, for: program)
                opened.append(file)
                try check(posix_spawn_file_actions_adddup2(&actions, file, 0))
            }
            let output = try connect(options.output, to: 1)
            var errors: (reader: Int32, limit: Int)?
            if let sink = options.errors {
                errors = try connect(sink, to: 2)
            } else {
                try check(posix_spawn_file_actions_adddup2(&actions, 1, 2))
            }
            // Whatever else this process has open is none of the child's business.
            var passed: Int32?
            if let folder = options.passedFolder {
                let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                guard descriptor >= 0 else { throw StartError(program: "\(program) with \(folder)", code: errno) }
                opened.append(descriptor)
                try check(posix_spawn_file_actions_adddup2(&actions, descriptor, passedFolderNumber))
                passed = passedFolderNumber
            }
            for descriptor in Files.names(in: "/proc/self/fd").compactMap({ Int32($0) }) where descriptor > 2 && descriptor != passed {
                try check(posix_spawn_file_actions_addclose(&actions, descriptor))
            }

            var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
            defer { for argument in arguments { free(argument) } }
            var pid: Int32 = 0
            if let environment = options.environment {
                var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
                defer { for variable in variables { free(variable) } }
                try check(posix_spawnp(&pid, program, &actions, &attributes, &arguments, &variables))
            } else {
                try check(posix_spawnp(&pid, program, &actions, &attributes, &arguments, environ))
            }
            return Subprocess(
                pid: pid, output: output.map { OutputTail(reading: $0.reader, limit: $0.limit) },
                errors: errors.map { OutputTail(reading: $0.reader, limit: $0.limit) })
        } catch {
            for descriptor in mine { close(descriptor) }
            throw error
        }
    }

    /// `env` (coreutils) changes the folder, `setpriv` (util-linux) the account, and arms the parent-death signal: what
    /// posix_spawn cannot do between the start and the program proper. Both give way to the next by exec, so that the
    /// process id is the program's.
    private static func wrapped(_ command: [String], _ options: Options) throws -> [String] {
        guard let program = command.first, !program.isEmpty else { throw StartError(program: "(nothing)", code: EINVAL) }
        var wrapper: [String] = []
        if let folder = options.workingDirectory {
            guard access(folder, X_OK) == 0 else { throw StartError(program: "\(program) in \(folder)", code: errno) }
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

    private static func unlinkedFile(holding bytes: [UInt8], for program: String) throws -> Int32 {
        var template = Array("/tmp/openledger-input-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { throw StartError(program: program, code: errno) }
        unlink(template)
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { write(file, $0.baseAddress?.advanced(by: sent), $0.count - sent) }
            guard count > 0 || errno == EINTR else {
                close(file)
                throw StartError(program: program, code: errno)
            }
            sent += max(count, 0)
        }
        lseek(file, 0, SEEK_SET)
        return file
    }
}
