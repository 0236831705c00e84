internal import HTTP
internal import Synchronization
internal import Threads
internal import Web

/// The answers that are being given and recorded, so that a gateway which stops cuts those that go on, and stays until all that was heard
/// is on the log.
final class AnswersUnderWay: Sendable {
    private struct State {
        var cuts: [String: AnswerCut] = [:]
        var isStopping = false
    }

    /// One that has begun.
    struct Entry: Sendable {
        fileprivate let inference: String
        let cut: AnswerCut
    }

    private let state = Lock(State())

    static let stopping = Problem(.unavailable, "the gateway is about to stop: try again", headers: ["Retry-After": "1"])

    /// How many there are.
    var count: Int { state.withLock { $0.cuts.count } }

    /// One begins.
    /// - Throws: `Problem` when no more are begun, and while the same one is still being given or recorded.
    func enter(_ inference: String) throws -> Entry {
        let cut = AnswerCut()
        let refusal = state.withLock { state -> Problem? in
            if state.isStopping { return Self.stopping }
            if state.cuts[inference] != nil { return Self.inFlight }
            state.cuts[inference] = cut
            return nil
        }
        if let refusal { throw refusal }
        return Entry(inference: inference, cut: cut)
    }

    static let inFlight = Problem(
        .commandInFlight, "the answer to the request of this Idempotency-Key is still being given; ask again when it has ended",
        field: "Idempotency-Key", headers: ["Retry-After": "1"])

    /// It is over, and on the log where anything was heard.
    func leave(_ entry: Entry) { state.withLock { $0.cuts[entry.inference] = nil } }

    /// Begins no more; cuts those that have not ended by themselves.
    /// - Parameters:
    ///   - patience: how long they may take to end by themselves.
    ///   - recording: how long it is waited then until all are recorded.
    /// - Returns: how many are not recorded.
    func stop(patience: Duration, recording: Duration) async -> Int {
        state.withLock { $0.isStopping = true }
        await isEmpty(within: patience)
        for cut in state.withLock({ Array($0.cuts.values) }) { cut(Self.stopping) }
        await isEmpty(within: recording)
        return count
    }

    private func isEmpty(within time: Duration) async {
        let end = ContinuousClock.now + time
        while count > 0, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(10)) }
    }
}
