/// Runs handlers on the thread of a loop, one step after the other, between what else the loop does.
///
/// To wake a thread of the pool for a request, and the loop for its reply, takes more time than a brief handler does.
final class LoopExecutor: TaskExecutor {
    private let mailbox: Mailbox

    init(_ mailbox: Mailbox) { self.mailbox = mailbox }

    func enqueue(_ job: consuming ExecutorJob) {
        let step = UnownedJob(job)
        if !mailbox.post(step: step) { runElsewhere(step) }
    }

    /// On the loop's thread.
    func run(_ step: UnownedJob) { unsafe step.runSynchronously(on: asUnownedTaskExecutor()) }

    /// What a handler that outlived its server has left to do.
    func runElsewhere(_ step: UnownedJob) {
        let work: @Sendable () async -> Void = { self.run(step) }
        Task.detached(operation: work)
    }
}
