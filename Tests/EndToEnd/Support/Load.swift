import EventLog
import Events
import HTTPClient
import Synchronization
import TestSupport
import Testing
import Threads

/// Callers that append one command after the other, as services do: each goes on with its command until that is answered,
/// by the same id and, as time goes by, with a new time. What they were told is kept.
final class Load: Sendable {
    private struct State {
        var acknowledged: [String: Appended] = [:]
        var abandoned: Set<String> = []
        var failures: [String: Int] = [:]
        var repeated = 0
        var isStopping = false
    }

    private let name: String
    private let targets: [LedgerProcess]
    private let state = Lock(State())
    private let seed: UInt64
    private let callers: Lock<[Task<Void, any Error>]> = Lock([])

    /// How long a command may go without an answer; what it waits for takes a second or two.
    private static let patience = Duration.seconds(60)

    /// - Parameters:
    ///   - name: what the commands' ids begin with.
    ///   - targets: the ledgers that callers turn to, the next one when one does not take an append.
    init(_ name: String, at targets: LedgerProcess..., callers count: Int = 8) {
        self.name = name
        self.targets = targets
        seed = Seed.generator(name).seed
        callers.withLock { $0 = (0..<count).map { number in Task { try await self.call(number) } } }
    }

    /// How many commands were answered.
    var acknowledged: [String: Appended] { state.withLock { $0.acknowledged } }
    /// Commands that were sent once and given up after an error: they may be on the log or not, but not twice.
    var abandoned: Set<String> { state.withLock { $0.abandoned } }
    /// Commands that had to be sent more than once.
    var repeated: Int { state.withLock { $0.repeated } }
    /// What went wrong, and how often.
    var failures: [String: Int] { state.withLock { $0.failures } }

    /// Waits until so many more commands are answered.
    func advance(by count: Int, timeout: Duration = .seconds(60)) async throws {
        let goal = state.withLock { $0.acknowledged.count } + count
        try await eventually("\(goal) acknowledged appends", timeout: timeout, every: .milliseconds(3)) {
            self.state.withLock { $0.acknowledged.count } >= goal || self.state.withLock { $0.isStopping }
        }
    }

    /// Begins no new command, and waits until every one begun is answered.
    func finish() async throws {
        state.withLock { $0.isStopping = true }
        for caller in callers.withLock({ $0 }) { try await caller.value }
    }

    private func call(_ number: Int) async throws {
        var dice = SeededGenerator(seed: seed &+ UInt64(number))
        var count = 0
        do {
            while !state.withLock({ $0.isStopping }) {
                let command = "\(name)-\(number)-\(count)"
                // Some streams are everybody's, some new, some one caller's own.
                let streams = (0..<Int.random(in: 1...3, using: &dice)).map { _ in
                    ["account/\(Int.random(in: 0..<5, using: &dice))", "hold/\(command)", "account/of-\(number)"].randomElement(
                        using: &dice) ?? "account/0"
                }
                try await carry(out: command, on: streams, at: number, givesUp: dice.chance(0.1))
                count += 1
            }
        } catch {
            state.withLock { $0.isStopping = true }
            throw error
        }
    }

    private func carry(out command: String, on streams: [String], at number: Int, givesUp: Bool) async throws {
        let deadline = ContinuousClock.now + Self.patience
        var attempt = 0
        while true {
            do {
                let appended = try await targets[(number + attempt) % targets.count].client().append(try Sample.append(command, streams))
                state.withLock { state in
                    if attempt > 0 { state.repeated += 1 }
                    state.acknowledged[command] = appended
                }
                return
            } catch {
                guard Self.mayPass(error), ContinuousClock.now < deadline else {
                    throw Unfit("command \(command), attempt \(attempt): \(error)")
                }
                attempt += 1
                state.withLock { state in
                    state.failures[Self.kind(of: error), default: 0] += 1
                    if givesUp { state.abandoned.insert(command) }
                }
                if givesUp { return }
                // The pause that a polite client makes before it asks again.
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    /// Errors that a fault may cause; any other is a wrong answer.
    private static func mayPass(_ error: any Error) -> Bool {
        switch error {
        case LogError.notLeader, LogError.unavailable, LogError.busy: true
        case let error as HTTPClientError: error.isRetriable
        case let error as LogHTTPError: error.status == 503
        default: false
        }
    }

    private static func kind(of error: any Error) -> String {
        switch error {
        case LogError.notLeader: "not-leader"
        case LogError.unavailable: "log-unavailable"
        case HTTPClientError.connectFailed: "not connected"
        case is HTTPClientError: "no answer"
        default: "\(error)"
        }
    }
}
