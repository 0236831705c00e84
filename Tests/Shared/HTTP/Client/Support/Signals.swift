import Synchronization
import Testing
import Threads

/// Opens once; whoever waits goes on.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Lock(State())

    var isOpen: Bool { state.withLock { $0.isOpen } }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

final class Counter: Sendable {
    private let count = Lock(0)
    var value: Int { count.withLock { $0 } }
    @discardableResult func add(_ more: Int = 1) -> Int {
        count.withLock { count in
            count += more
            return count
        }
    }
}

/// Suspends until the task is cancelled, and says so.
func waitForCancellation(_ cancelled: Gate) async throws {
    let never = AsyncStream<Void>.makeStream()
    for await _ in never.stream {}
    cancelled.open()
    throw CancellationError()
}

/// Looks again and again, for what another thread does and tells nobody.
func eventually(
    within limit: Duration = .seconds(10), sourceLocation: SourceLocation = #_sourceLocation, _ isTrue: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await isTrue() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("did not happen within \(limit)", sourceLocation: sourceLocation)
}

/// The value once it has stood still for a while: a writer that is held back.
func settled(_ value: () -> Int) async throws -> Int {
    var last = value(), since = ContinuousClock.now
    while ContinuousClock.now - since < .milliseconds(300) {
        try await Task.sleep(for: .milliseconds(10))
        if value() != last { (last, since) = (value(), ContinuousClock.now) }
    }
    return last
}

func elapsed(_ body: () async throws -> Void) async rethrows -> Duration {
    let start = ContinuousClock.now
    try await body()
    return ContinuousClock.now - start
}

/// A small generator that a seed in a failure's message repeats.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
    mutating func bytes(_ count: Int) -> [UInt8] {
        var words: [UInt64] = []
        for _ in 0..<count / 8 + 1 { words.append(next()) }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }
}
