internal import EventLog
internal import Synchronization
internal import Threads

/// Appends that were handed in together and are answered together, though the commits that they end up in may be several.
final class AppendRun: Sendable {
    private struct State {
        var answers: [Result<Appended, LogError>?]
        var left: Int
    }

    private let state: Lock<State>
    private let continuation: CheckedContinuation<[Result<Appended, LogError>], Never>

    /// - Parameter count: how many there are; more than none.
    init(_ count: Int, _ continuation: CheckedContinuation<[Result<Appended, LogError>], Never>) {
        state = Lock(State(answers: Array(repeating: nil, count: count), left: count))
        self.continuation = continuation
    }

    /// Notes what came of one; the last one of the run wakes who waits.
    func answer(_ answer: Result<Appended, LogError>, at place: Int) {
        let all = state.withLock { state -> [Result<Appended, LogError>]? in
            guard state.answers[place] == nil else { return nil }
            state.answers[place] = answer
            state.left -= 1
            return state.left == 0 ? state.answers.compactMap(\.self) : nil
        }
        if let all { continuation.resume(returning: all) }
    }
}
