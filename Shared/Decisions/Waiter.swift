internal import Synchronization
internal import Threads

/// Who waits for a decision: somebody for this one, or for several of which it is one.
enum Waiter: Sendable {
    case one(CheckedContinuation<Outcome, any Error>)
    case several(OutcomeRun, place: Int)

    func resume(returning outcome: Outcome) { resume(.success(outcome)) }

    func resume(throwing error: any Error) { resume(.failure(error)) }

    private func resume(_ result: Result<Outcome, any Error>) {
        switch self {
        case .one(let continuation): continuation.resume(with: result)
        case .several(let run, let place): run.answer(result, at: place)
        }
    }
}

/// Decisions that were asked for together and are answered together, though they may end up in several appends.
final class OutcomeRun: Sendable {
    private struct State {
        var results: [Result<Outcome, any Error>?]
        var left: Int
    }

    private let state: Lock<State>
    private let continuation: CheckedContinuation<[Result<Outcome, any Error>], Never>

    /// - Parameter count: how many there are; more than none.
    init(_ count: Int, _ continuation: CheckedContinuation<[Result<Outcome, any Error>], Never>) {
        state = Lock(State(results: Array(repeating: nil, count: count), left: count))
        self.continuation = continuation
    }

    /// Notes what came of one; the last one wakes who waits.
    func answer(_ result: Result<Outcome, any Error>, at place: Int) {
        let all = state.withLock { state -> [Result<Outcome, any Error>]? in
            guard state.results[place] == nil else { return nil }
            state.results[place] = result
            state.left -= 1
            return state.left == 0 ? state.results.compactMap(\.self) : nil
        }
        if let all { continuation.resume(returning: all) }
    }
}
