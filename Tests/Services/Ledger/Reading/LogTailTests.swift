import EventLog
import TestSupport
import Testing

@testable import LedgerService

@Suite struct LogTailTests {
    private func events(_ range: Range<UInt64>, bytes: Int = 8) -> [LoggedEvent] {
        range.map { LoggedEvent(position: $0, version: 0, bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: bytes)) }
    }

    @Test func `what was added is read from any position, within both limits`() {
        let tail = LogTail()
        tail.advance(to: 10, events: events(0..<10))
        tail.advance(to: 12, events: events(10..<12))
        for position in 0..<14 as Range<UInt64> {
            let batch = tail.recent(from: position, limit: 100, byteLimit: .max)
            #expect(batch?.events == (position < 12 ? events(position..<12) : []))
            #expect(batch?.size == 12)
        }
        #expect(tail.recent(from: 2, limit: 3, byteLimit: .max)?.events == events(2..<5))
        #expect(tail.recent(from: 2, limit: 100, byteLimit: 17)?.events == events(2..<5), "the one that reaches the limit is the last")
        #expect(tail.recent(from: 2, limit: 100, byteLimit: 0)?.events.isEmpty == true)
    }

    @Test func `the oldest go when memory's bound is reached, and the database is asked for them`() {
        let tail = LogTail()
        let size = LogTail.keptBytes / 16
        for position in 0..<40 as Range<UInt64> {
            tail.advance(to: position + 1, events: events(position..<position + 1, bytes: size))
            let oldest = position < 16 ? 0 : position - 15
            #expect(tail.recent(from: oldest, limit: 100, byteLimit: .max)?.events.map(\.position) == Array(oldest...position))
            if oldest > 0 { #expect(tail.recent(from: oldest - 1, limit: 100, byteLimit: .max) == nil) }
        }
    }

    @Test func `after a gap, or an end known from hearsay, only what is new is here`() {
        let tail = LogTail()
        tail.advance(to: 3, events: events(0..<3))
        tail.advance(to: 7, events: [])
        #expect(tail.size == 7)
        #expect(tail.recent(from: 2, limit: 10, byteLimit: .max) == nil)
        #expect(tail.recent(from: 7, limit: 10, byteLimit: .max)?.events.isEmpty == true)
        tail.advance(to: 9, events: events(7..<9))
        #expect(tail.recent(from: 7, limit: 10, byteLimit: .max)?.events == events(7..<9))
        #expect(tail.recent(from: 6, limit: 10, byteLimit: .max) == nil)
        tail.advance(to: 5, events: [])
        tail.advance(to: 9, events: events(7..<9))
        #expect(tail.size == 9, "the log never gets shorter")
        #expect(tail.recent(from: 7, limit: 10, byteLimit: .max)?.events == events(7..<9))
    }

    @Test func `a waiter wakes when the log is longer than its position, and not before`() async {
        let tail = LogTail()
        await tail.waitPast(0, for: .milliseconds(1))
        let woken = Task {
            await tail.waitPast(5, for: .seconds(600))
            return tail.size
        }
        for size in 1...9 as ClosedRange<UInt64> {
            tail.advance(to: size, events: events(size - 1..<size))
            await Task.yield()
        }
        #expect(await woken.value >= 6)
        let cancelled = Task { await tail.waitPast(1_000, for: .seconds(600)) }
        cancelled.cancel()
        await cancelled.value
        // Many at once, each with its own end.
        await withTaskGroup(of: Void.self) { group in
            for position in 9..<109 as Range<UInt64> {
                group.addTask { await tail.waitPast(position, for: position % 3 == 0 ? .milliseconds(5) : .seconds(600)) }
            }
            tail.advance(to: 109, events: [])
        }
    }
}
