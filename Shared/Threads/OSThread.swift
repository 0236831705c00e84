internal import CThreads
internal import Glibc

/// Threads of our own, for C calls that wait: the cooperative pool must never be held up by one.
public enum OSThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a new detached thread.
    /// - Parameter name: shown by `ps -L` and in a debugger; cut to 15 bytes, the kernel's limit.
    public static func start(name: String, _ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { raw in
                if let raw { Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        // Out of threads or memory: nothing that needs this thread could go on.
        precondition(status == 0, "pthread_create failed with \(status)")
        pthread_setname_np(thread, String(name.prefix(15)))
        pthread_detach(thread)
    }

    /// Runs a call that may block on a thread of its own and awaits its result.
    public static func run<Result: Sendable>(name: String, _ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            start(name: name) { continuation.resume(with: Swift.Result { try body() }) }
        }
    }
}
