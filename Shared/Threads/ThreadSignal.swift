internal import Glibc
internal import Synchronization

// Unchecked: `isSleeping` is only touched while `mutex` is held, `pace` only by the one waiter, `isRaised` is atomic, and neither
// pointer ever changes.
/// Wakes a thread of ours that waits for work: a flag that stays up until the one waiter has seen it. Never wait on the
/// cooperative pool.
///
/// Who waits looks for a moment before it sleeps, as its ``Pace`` says: waking a sleeping thread costs tens of microseconds, which a caller
/// that sends its next piece of work as soon as it has the answer to the last would pay every time.
public final class ThreadSignal: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let isRaised = Atomic<Bool>(false)
    private var isSleeping = false
    // What comes later than looking lasts, and the waking that it then takes, was looked for in vain. Callers who come by a socket do.
    private var pace = Pace(least: 60_000, soon: Pace.usualPatience + 50_000)

    /// Down.
    public init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A clock that nobody sets: a wait is as long as it says.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Raises the flag; the waiting thread goes on.
    public func raise() {
        isRaised.store(true, ordering: .sequentiallyConsistent)
        pthread_mutex_lock(mutex)
        let wakes = isSleeping
        pthread_mutex_unlock(mutex)
        if wakes { pthread_cond_signal(condition) }
    }

    /// Waits for the flag and takes it down; false when `limit` passed first.
    public func wait(atMost limit: Duration) -> Bool {
        let start = pace.begin()
        defer { pace.end(start) }
        if look(since: start) { return true }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let (seconds, attoseconds) = limit.components
        let nanoseconds = deadline.tv_nsec + Int(attoseconds / 1_000_000_000)
        deadline.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(mutex)
        isSleeping = true
        defer {
            isSleeping = false
            pthread_mutex_unlock(mutex)
        }
        while !take() {
            if pthread_cond_timedwait(condition, mutex, &deadline) != 0 { return take() }
        }
        return true
    }

    private func take() -> Bool { isRaised.exchange(false, ordering: .sequentiallyConsistent) }

    /// Looks for a moment, leaving the processor to whoever else has work.
    private func look(since start: Int) -> Bool {
        while true {
            if take() { return true }
            sched_yield()
            if !pace.looks(start) { return false }
        }
    }
}
