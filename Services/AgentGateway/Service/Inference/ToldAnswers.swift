internal import Crypto
internal import JSON
internal import Synchronization
internal import Threads

/// How the last answers to named requests were told, beyond what is kept of every answer: so a repeat whose first reply was lost is told
/// the same. Whoever asks again asks soon; what is forgotten is paid no second time all the same.
final class ToldAnswers: Sendable {
    /// One answer.
    struct Answer: Sendable {
        /// What was asked: SHA-256 of the request's body.
        let digest: Digest
        /// Why it ended.
        let finish: String
        /// Bytes of what it said, which its calls follow in the text that is kept.
        let textBytes: Int
        /// What it asked for.
        let calls: JSONValue?
    }

    private struct State {
        var answers: [String: Answer] = [:]
        var ring: [String] = []
        var next = 0
    }

    private static let most = 1_024
    /// Bytes of calls that are remembered.
    private static let mostBytes = 64 << 10
    private let state = Lock(State())

    subscript(inference: String) -> Answer? { state.withLock { $0.answers[inference] } }

    func insert(_ answer: Answer, of inference: String) {
        if let calls = answer.calls, JSON.write(calls).count > Self.mostBytes { return }
        state.withLock { state in
            guard state.answers.updateValue(answer, forKey: inference) == nil else { return }
            if state.ring.count < Self.most {
                state.ring.append(inference)
            } else {
                state.answers[state.ring[state.next]] = nil
                state.ring[state.next] = inference
                state.next = (state.next + 1) % Self.most
            }
        }
    }
}
