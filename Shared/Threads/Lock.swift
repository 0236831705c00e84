// The thread sanitizer does not see `Synchronization.Mutex` on Linux (a futex inside the runtime, which is not
// instrumented) and reports races where there are none. Under `-D TSAN` a pthread mutex stands in, which it does see.
#if TSAN
    internal import Glibc

    // Unchecked: `value` is only reached between lock and unlock of `mutex`, whose address never changes.
    /// A value that one thread at a time may touch.
    public final class Lock<Value>: @unchecked Sendable {
        private var value: Value
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

        /// Guards `value`.
        public init(_ value: sending Value) {
            self.value = value
            pthread_mutex_init(mutex, nil)
        }

        deinit {
            pthread_mutex_destroy(mutex)
            mutex.deallocate()
        }

        /// Runs `body` with exclusive access. Never suspend or block inside.
        public func withLock<Result, Failure: Error>(
            _ body: (inout Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return try body(&value)
        }
    }
#else
    public import Synchronization

    /// A value that one thread at a time may touch.
    public typealias Lock = Mutex
#endif
