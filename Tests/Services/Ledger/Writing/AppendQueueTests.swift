import EventLog
import Events
import JSON
import LedgerDomain
import TestSupport
import Testing
import Threads

@testable import LedgerService

@Suite struct AppendQueueTests {
    private func append(_ id: String, bytes: Int = 0) throws -> PreparedAppend {
        let events = try Sample.command(
            id, streams: Array(repeating: "account/a", count: max(1, bytes / 60_000)),
            data: .string(String(repeating: "x", count: min(bytes, 60_000))))
        return try PreparedAppend(AppendRequest(events: events), writer: .billing, now: LedgerClock.frozen.now())
    }

    private let answer = Result<Appended, LogError>.success(Appended(position: 0, entries: []))

    /// The writer's wait, on a thread as the writer has one.
    private func next(_ queue: AppendQueue, _ patience: Duration = .seconds(60)) async throws -> [AppendQueue.Pending]? {
        try await OSThread.run(name: "writer") { queue.next(patience: patience) }
    }

    @Test func `before it is opened and after it is closed it refuses with the reason`() async throws {
        let queue = AppendQueue()
        guard case .failure(.notLeader) = await queue.submit(try append("c")) else {
            Issue.record("taken")
            return
        }
        #expect(try await next(queue) == nil)
        queue.open()
        #expect(queue.refusal == nil)
        queue.close(.unavailable("gone"))
        #expect(await queue.submit(try append("c")) == .failure(.unavailable("gone")))
        #expect(queue.refusal == .unavailable("gone"))
        #expect(try await next(queue) == nil)
    }

    @Test func `what waits when it is closed is refused with the reason`() async throws {
        let queue = AppendQueue()
        queue.open()
        let appends = try (0..<5).map { try append("c\($0)") }
        let outcomes = await withTaskGroup(of: Result<Appended, LogError>.self) { group in
            for append in appends { group.addTask { await queue.submit(append) } }
            // Those that have begun to wait and those that come after it get the same answer.
            await Task.yield()
            queue.close(.busy)
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes == Array(repeating: .failure(.busy), count: 5))
    }

    @Test func `a run is taken in its order with nothing between, and answered once all of it is`() async throws {
        let queue = AppendQueue()
        queue.open()
        let appends = try (0..<300).map { try append("r\($0)") }
        async let outcomes = queue.submit(appends)
        let taken = try await OSThread.run(name: "writer") {
            var taken: [AppendQueue.Pending] = []
            while taken.count < 300, let batch = queue.next(patience: .seconds(60)) { taken += batch }
            return taken
        }
        #expect(taken.map(\.append.command) == appends.map(\.command))
        for (place, pending) in taken.enumerated().reversed() {
            pending.waiter.resume(returning: .success(Appended(position: UInt64(place), entries: [])))
        }
        #expect(await outcomes == (0..<300).map { .success(Appended(position: UInt64($0), entries: [])) })
        #expect(await queue.submit([PreparedAppend]()).isEmpty)
        queue.close(.busy)
        #expect(await queue.submit(Array(appends.prefix(3))) == Array(repeating: .failure(.busy), count: 3))
    }

    @Test func `what one caller handed in together goes into one batch, and of many callers a half`() async throws {
        let queue = AppendQueue()
        queue.open()
        let lot = try (0..<600).map { try append("r\($0)") }
        async let outcomes = queue.submit(lot)
        let first = try await next(queue)
        #expect(first?.count == 600)
        for pending in first ?? [] { pending.waiter.resume(returning: answer) }
        #expect(await outcomes.count == 600)
        let appends = try (0..<200).map { try append("c\($0)") }
        async let answers = withTaskGroup(of: Result<Appended, LogError>.self) { group in
            for append in appends { group.addTask { await queue.submit(append) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        try await eventually { queue.count == 200 }
        let half = try await next(queue)
        #expect(half?.count == 100)
        queue.close(.busy)
        for pending in half ?? [] { pending.waiter.resume(returning: answer) }
        #expect(await answers.count { $0 == .failure(.busy) } == 100)
    }

    @Test func `all that wait are taken, each once, in batches`() async throws {
        let queue = AppendQueue()
        queue.open()
        let appends = try (0..<500).map { try append("c\($0)") }
        async let outcomes = withTaskGroup(of: Result<Appended, LogError>.self) { group in
            for append in appends { group.addTask { await queue.submit(append) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let taken = try await OSThread.run(name: "writer") {
            var taken: [AppendQueue.Pending] = []
            while taken.count < 500, let batch = queue.next(patience: .seconds(60)) { taken += batch }
            return taken
        }
        #expect(taken.count == 500 && Set(taken.map(\.append.command)) == Set(appends.map(\.command)))
        for pending in taken { pending.waiter.resume(returning: answer) }
        #expect(await outcomes == Array(repeating: answer, count: 500))
        #expect(try await next(queue, .milliseconds(1))?.isEmpty == true)
    }

    @Test func `more than 64 MB may not wait, a batch is about 4 MB, and room that comes free is used`() async throws {
        let queue = AppendQueue()
        queue.open()
        let large = try append("large", bytes: 2_400_000)
        let most = AppendQueue.maximumBytes / large.byteCount
        try await withThrowingTaskGroup(of: Result<Appended, LogError>.self) { group in
            for _ in 0..<most + 3 { group.addTask { await queue.submit(large) } }
            for _ in 0..<3 { #expect(try await group.next() == .failure(.busy)) }
            let batch = try #require(try await next(queue))
            #expect(batch.count == 2 && batch.reduce(0) { $0 + $1.append.byteCount } < AppendQueue.batchBytes + large.byteCount)
            for pending in batch { pending.waiter.resume(returning: answer) }
            for _ in 0..<2 { #expect(try await group.next() == answer) }
            for _ in 0..<3 { group.addTask { await queue.submit(large) } }
            #expect(try await group.next() == .failure(.busy), "two of three find room")
            var left = most
            while left > 0 {
                for pending in try await next(queue) ?? [] {
                    pending.waiter.resume(returning: answer)
                    left -= 1
                }
            }
            for _ in 0..<most { #expect(try await group.next() == answer) }
        }
    }

    @Test func `an append can be left while it waits, and is waited for once it is taken`() async throws {
        let queue = AppendQueue()
        queue.open()
        #expect(queue.oldest == nil)
        let (one, run) = (try append("one"), try (0..<3).map { try append("r\($0)") })
        let leaving = Task { await queue.submit(one) }
        let leavingRun = Task { await queue.submit(run) }
        try await eventually { queue.count == 4 }
        #expect(queue.oldest != nil)
        leaving.cancel()
        leavingRun.cancel()
        guard case .failure(.unavailable) = await leaving.value, await leavingRun.value.count == 3 else {
            Issue.record("it was not given back")
            return
        }
        #expect(queue.oldest == nil && queue.count == 0)
        // Cancelled before it comes.
        let late = Task {
            try? await Task.sleep(for: .seconds(60))
            return await queue.submit(one)
        }
        late.cancel()
        guard case .failure(.unavailable) = await late.value else {
            Issue.record("it was taken")
            return
        }
        let taken = Task { await queue.submit(one) }
        try await eventually { queue.count == 1 }
        let batch = try #require(try await next(queue))
        taken.cancel()
        #expect(batch.count == 1 && queue.oldest != nil)
        queue.answered()
        #expect(queue.oldest == nil)
        for pending in batch { pending.waiter.resume(returning: answer) }
        #expect(await taken.value == answer)
    }

    @Test func `the writer's wait ends with its patience, or when the queue is closed`() async throws {
        let queue = AppendQueue()
        queue.open()
        #expect(try await next(queue, .milliseconds(1))?.isEmpty == true)
        async let waiting = next(queue)
        queue.close(.busy)
        #expect(try await waiting == nil)
    }
}
