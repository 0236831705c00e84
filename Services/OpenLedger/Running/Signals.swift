import Dispatch
@preconcurrency import Glibc

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

    /// Waits for the wish to stop: SIGINT (Ctrl-C) or SIGTERM. A second one ends the process at once.
    static func stop() async {
        let (signals, continuation) = AsyncStream<Void>.makeStream()
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable in
                continuation.yield()
                // From now on the signal does what it always does.
                signal(number, SIG_DFL)
            }
            source.resume()
            return source
        }
        for await _ in signals { break }
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}
