import EventLog
import Events
import JSON
import LedgerDomain
import TestSupport
import Testing

@testable import LedgerService

@Suite struct AppendQueueTests {
    private func append(_ id: String, bytes: Int = 0) throws -> PreparedAppend {
        let events = try Sample.command(
            id, streams: Array(repeating: "account/a", count: max(1, bytes / 60_000)),
            data: .string(String(repeating: "x", count: min(bytes, 60_000))))
        return try PreparedAppend(AppendRequest(events: events), writer: .billing, now: LedgerClock.system.now())
    }

    private let answer = Result<Appended, LogError>.success(Appended(position: 0, entries: []))

    @Test func `before it is opened and after it is closed it refuses with the reason`() async throws {
        let queue = AppendQueue()
        guard case .failure(.notLeader) = await queue.submit(try append("c")) else {
            Issue.record("taken")
            return
        }
        queue.open()
        #expect(queue.refusal == nil)
        queue.close(.unavailable("gone"))
        #expect(await queue.submit(try append("c")) == .failure(.unavailable("gone")))
        #expect(queue.refusal == .unavailable("gone"))
        #expect(await queue.waitForWork() == false)
    }

    @Test func `what waits when it is closed is refused with the reason`() async throws {
        let queue = AppendQueue()
        queue.open()
        let appends = try (0..<5).map { try append("c\($0)") }
        let outcomes = try await withThrowingTaskGroup(of: Result<Appended, LogError>.self) { group in
            for append in appends { group.addTask { await queue.submit(append) } }
            #expect(await queue.waitForWork())
            // Closes again and again, for those that had not begun to wait; none may wait for ever.
            while true {
                queue.close(.busy)
                let first = try await group.next()
                return try await group.reduce(into: [first]) { $0.append($1) }
            }
        }
        #expect(outcomes == Array(repeating: .failure(.busy), count: 5))
    }

    @Test func `those that wait together are taken together, in their order`() async throws {
        let queue = AppendQueue()
        queue.open()
        let appends = try (0..<100).map { try append("c\($0)") }
        async let outcomes = withTaskGroup(of: Result<Appended, LogError>.self) { group in
            for append in appends { group.addTask { await queue.submit(append) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var taken: [AppendQueue.Pending] = []
        while taken.count < 100 {
            #expect(await queue.waitForWork())
            taken += queue.take()
        }
        #expect(Set(taken.map { $0.append.command }) == Set(appends.map(\.command)))
        #expect(queue.take().isEmpty)
        for pending in taken { pending.continuation.resume(returning: answer) }
        #expect(await outcomes == Array(repeating: answer, count: 100))
    }

    @Test func `more than 64 MB may not wait, a batch is about 4 MB, and room that comes free is used`() async throws {
        let queue = AppendQueue()
        queue.open()
        let large = try append("large", bytes: 2_400_000)
        let most = AppendQueue.maximumBytes / large.byteCount
        await withTaskGroup(of: Result<Appended, LogError>.self) { group in
            for _ in 0..<most + 3 { group.addTask { await queue.submit(large) } }
            for _ in 0..<3 { #expect(await group.next() == .failure(.busy)) }
            let batch = queue.take()
            #expect(batch.count == 2 && batch.reduce(0) { $0 + $1.append.byteCount } < AppendQueue.batchBytes + large.byteCount)
            for pending in batch { pending.continuation.resume(returning: answer) }
            for _ in 0..<2 { #expect(await group.next() == answer) }
            for _ in 0..<3 { group.addTask { await queue.submit(large) } }
            #expect(await group.next() == .failure(.busy), "two of three find room")
            var left = most
            while left > 0 {
                for pending in queue.take() {
                    pending.continuation.resume(returning: answer)
                    left -= 1
                }
            }
            for _ in 0..<most { #expect(await group.next() == answer) }
        }
    }

    @Test func `the writer's wait ends when it is nudged, cancelled or called off`() async {
        let queue = AppendQueue()
        queue.open()
        let nudged = Task { await queue.waitForWork() }
        let nudging = Task {
            while !Task.isCancelled {
                queue.nudge()
                await Task.yield()
            }
        }
        #expect(await nudged.value)
        nudging.cancel()
        await nudging.value
        #expect(queue.take().isEmpty)
        let cancelled = Task { await queue.waitForWork() }
        cancelled.cancel()
        #expect(await cancelled.value == false)
        let closed = Task { await queue.waitForWork() }
        queue.close(.busy)
        #expect(await closed.value == false)
    }
}
