import Synchronization
import Testing
import Threads

@testable import Kafka

@Suite(.timeLimit(.minutes(1))) struct QueueGateTests {
    private final class Line: Sendable {
        let gate = Lock(QueueGate())

        /// Joins the line and tells the grant. Returns once the wait is registered.
        func join(holdsTurn: Bool = false, since epoch: UInt64? = nil) async -> (id: UInt64, grant: Task<QueueGate.Grant, Never>) {
            let id = gate.withLock { $0.newWaiter() }
            let (registered, sink) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                await withCheckedContinuation { (waiter: QueueGate.Waiter) in
                    gate.withLock { $0.wait(id, waiter, since: epoch ?? $0.epoch, holdsTurn: holdsTurn) }
                    sink.finish()
                }
            }
            for await _ in registered {}
            return (id, task)
        }
    }

    @Test func oneAtATimeIsCalledInOrderOfArrival() async {
        let line = Line()
        #expect(line.gate.withLock { $0.mayTry(holdsTurn: false) })
        let first = await line.join()
        let second = await line.join()
        #expect(!line.gate.withLock { $0.mayTry(holdsTurn: false) }, "who comes late must not overtake")
        line.gate.withLock { $0.roomWasMade() }
        #expect(await first.grant.value == .go)
        line.gate.withLock { $0.roomWasMade() }
        // The first was let go and found the queue full again: it is called before the second.
        let again = await line.join(holdsTurn: true)
        line.gate.withLock { $0.roomWasMade() }
        #expect(await again.grant.value == .go)
        line.gate.withLock { $0.giveTurnBack() }
        #expect(await second.grant.value == .go)
        #expect(!line.gate.withLock { $0.mayTry(holdsTurn: false) })
        line.gate.withLock { $0.giveTurnBack() }
        #expect(line.gate.withLock { $0.mayTry(holdsTurn: false) })
    }

    @Test func roomMadeBeforeTheWaitBeganIsNotMissed() async {
        let line = Line()
        let epoch = line.gate.withLock { $0.epoch }
        line.gate.withLock { $0.roomWasMade() }
        #expect(await line.join(since: epoch).grant.value == .go)
        let later = line.gate.withLock { $0.epoch }
        line.gate.withLock { $0.giveTurnBack() }
        #expect(await line.join(since: later).grant.value == .go, "a turn given back counts as room")
    }

    @Test func aCancelledWaitEndsWheneverTheCancellationComes() async {
        let line = Line()
        let waiting = await line.join()
        line.gate.withLock { $0.cancel(waiting.id) }
        #expect(await waiting.grant.value == .cancelled)
        #expect(line.gate.withLock { $0.mayTry(holdsTurn: false) }, "it left the line")
        let early = line.gate.withLock { $0.newWaiter() }
        let grant = await withCheckedContinuation { (waiter: QueueGate.Waiter) in
            line.gate.withLock { gate in
                gate.cancel(early)
                gate.wait(early, waiter, since: gate.epoch, holdsTurn: false)
            }
        }
        #expect(grant == .cancelled)
    }

    @Test func closingEndsEveryWait() async {
        let line = Line()
        let waiting = [await line.join(), await line.join()]
        line.gate.withLock { $0.closeAll() }
        for wait in waiting { #expect(await wait.grant.value == .closed) }
    }
}
