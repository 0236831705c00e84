import TestSupport
import Testing

@testable import Threads

/// For how long a thread looks before it sleeps.
@Suite struct PaceTests {
    @Test func `at first it is taken to be worth looking`() {
        let pace = Pace()
        #expect(pace.isSoon && pace.looks(after: 0) && pace.looks(after: Pace.usualPatience - 1))
        #expect(!pace.looks(after: Pace.usualPatience), "there is an end to it")
    }

    @Test func `what came soon is looked for the next time, what came late is not`() {
        var pace = Pace(soon: 300_000)
        pace.end(after: 300_000)
        #expect(!pace.isSoon && !pace.looks(after: 0), "who has waited for long sleeps at once")
        pace.end(after: 299_999)
        #expect(pace.isSoon && pace.looks(after: Pace.usualPatience - 1))
    }

    @Test func `what came late is looked for as long as it is always worth, and no longer`() {
        var pace = Pace(least: 60_000, soon: 250_000)
        pace.end(after: 1_000_000)
        #expect(pace.looks(after: 59_999) && !pace.looks(after: 60_000))
        // A wait in which that was enough makes looking worth it again.
        pace.end(after: 59_999)
        #expect(pace.looks(after: 60_000))
    }

    @Test func `only the last wait counts, and an idle one burns no more than the least`() {
        var dice = Seed.generator()
        for _ in 0..<1_000 {
            let least = Int.random(in: 0...100_000, using: &dice), soon = Int.random(in: 1...1_000_000, using: &dice)
            let patience = Int.random(in: 1...1_000_000, using: &dice)
            var pace = Pace(least: least, soon: soon, patience: patience)
            for _ in 0..<8 {
                let waited = Int.random(in: 0...2_000_000, using: &dice)
                pace.end(after: waited)
                let limit = waited < soon ? patience : least
                #expect(!pace.looks(after: limit) && (limit == 0 || pace.looks(after: limit - 1)))
            }
        }
    }
}

/// The flag by which a thread is woken.
@Suite struct ThreadSignalTests {
    @Test func `what was raised before the wait is not missed, and is seen once`() async throws {
        let signal = ThreadSignal()
        signal.raise()
        signal.raise()
        let seen = try await OSThread.run(name: "waiter") { [signal.wait(atMost: .seconds(60)), signal.wait(atMost: .milliseconds(1))] }
        #expect(seen == [true, false])
    }

    @Test func `each of many raises, from other threads, ends a wait, whether it looks or sleeps`() async throws {
        let there = ThreadSignal(), back = ThreadSignal()
        async let answering: Void = OSThread.run(name: "answering") {
            for _ in 0..<2_000 {
                guard there.wait(atMost: .seconds(60)) else { throw NeverCame() }
                back.raise()
            }
        }
        try await OSThread.run(name: "asking") {
            for _ in 0..<2_000 {
                there.raise()
                guard back.wait(atMost: .seconds(60)) else { throw NeverCame() }
            }
        }
        try await answering
    }

    private struct NeverCame: Error {}
}
