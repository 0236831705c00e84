import Dispatch
@preconcurrency import Glibc
import Synchronization
import Threads

/// What an operator says by signals.
enum Signals {
    /// Does something at each SIGHUP, by which an operator says that files have changed, until the task is cancelled.
    static func atHangUp(_ body: @Sendable () async -> Void) async {
        let (signals, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
        source.setEventHandler { @Sendable in continuation.yield() }
        source.resume()
        for await _ in signals { await body() }
        source.cancel()
    }

    /// Hears the wish to stop from now on, whatever is being done: SIGINT (Ctrl-C) and SIGTERM, and SIGHUP too where a closed terminal is
    /// one. What must not be left half done says so at its beginning. A second signal ends the process at once.
    static func listen(hangUp: Bool = false) { wish.listen(hangUp ? [SIGINT, SIGTERM, SIGHUP] : [SIGINT, SIGTERM]) }

    /// Whether the wish to stop was heard.
    static var isStopping: Bool { wish.isMade }

    /// Waits for the wish to stop, or until the task is cancelled.
    static func stop() async {
        listen()
        await wish.wait()
    }

    private static let wish = StopWish()
}

/// The wish to stop: made once for the whole process, and kept for whoever asks later.
private final class StopWish: Sendable {
    private struct State {
        var isMade = false
        var sources: [Int32: any DispatchSourceSignal] = [:]
        var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
    }

    private let state = Lock(State())

    var isMade: Bool { state.withLock { $0.isMade } }

    func listen(_ numbers: [Int32]) {
        for number in numbers {
            state.withLock { state in
                guard state.sources[number] == nil, number != SIGHUP || !Self.isIgnored(number) else { return }
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { @Sendable [weak self] in self?.heard(number) }
                source.resume()
                state.sources[number] = source
            }
        }
    }

    /// Who was started by nohup does not mind a closed terminal.
    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// What is told from now on, nobody reads, and to tell it must not fail.
    private static func leaveTerminal() {
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard nowhere >= 0 else { return }
        for number in [STDOUT_FILENO, STDERR_FILENO] {
            var status = stat()
            if fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFCHR { dup2(nowhere, number) }
        }
        close(nowhere)
    }

    private func heard(_ number: Int32) {
        let waiting = state.withLock { state in
            // A terminal that closes may say so twice.
            if state.isMade, number != SIGHUP { _exit(128 + number) }
            if number == SIGHUP { Self.leaveTerminal() }
            state.isMade = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.finish() }
    }

    func wait() async {
        let (signals, continuation) = AsyncStream<Void>.makeStream()
        let number = state.withLock { state -> Int? in
            if state.isMade { return nil }
            state.next += 1
            state.waiting[state.next] = continuation
            return state.next
        }
        guard let number else { return }
        for await _ in signals {}
        state.withLock { _ = $0.waiting.removeValue(forKey: number) }
    }
}
