import Dispatch
@preconcurrency import Glibc

/// Waits for the wish to stop: SIGINT (Ctrl-C) or SIGTERM. A second one ends the process at once.
enum Signals {
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
    }
}
