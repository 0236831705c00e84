internal import Glibc

// Unchecked: every variable is only touched while `mutex` is held.
/// A serial executor that owns one OS thread. An actor that names it as its executor may call C that blocks: it holds
/// up nobody else.
public final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [UnownedJob] = []
    private var stopped = false
    private var running = true
    private var thread: pthread_t?
    private let name: String

    /// Starts the thread.
    /// - Parameter name: the thread's name, cut to 15 bytes.
    public init(name: String) {
        self.name = name
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        OSThread.start(name: name) { [self] in run() }
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        pthread_cond_destroy(condition)
        condition.deallocate()
    }

    /// Queues a job; the runtime calls this.
    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(unowned)
        let revive = !running
        running = true
        pthread_mutex_unlock(mutex)
        if revive {
            OSThread.start(name: name) { [self] in run() }
        } else {
            pthread_cond_signal(condition)
        }
    }

    /// Lets the thread end once the queued jobs have run. A job that comes later still runs, on a fresh thread, so that
    /// a late call to a closed actor gets its answer instead of waiting for ever.
    public func stop() {
        pthread_mutex_lock(mutex)
        stopped = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    /// Whether the caller runs on this executor's thread.
    public func isIsolatingCurrentContext() -> Bool? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard let thread else { return false }
        return pthread_equal(thread, pthread_self()) != 0
    }

    /// Traps when the caller runs elsewhere.
    public func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "not on this executor's thread")
    }

    private func run() {
        pthread_mutex_lock(mutex)
        thread = pthread_self()
        pthread_mutex_unlock(mutex)
        while true {
            pthread_mutex_lock(mutex)
            while jobs.isEmpty && !stopped { pthread_cond_wait(condition, mutex) }
            if jobs.isEmpty {
                running = false
                thread = nil
                pthread_mutex_unlock(mutex)
                return
            }
            let batch = jobs
            jobs.removeAll(keepingCapacity: false)
            pthread_mutex_unlock(mutex)
            for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }
}
