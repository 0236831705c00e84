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
        let plan = try SpawnPlan(command, options)
        let pid = try plan.launch()
        return Subprocess(
            pid: pid, output: plan.output.map { OutputTail(reading: $0.take(), limit: $0.limit) },
            errors: plan.errors.map { OutputTail(reading: $0.take(), limit: $0.limit) })
    }
}
