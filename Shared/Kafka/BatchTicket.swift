internal import Synchronization
internal import Threads

/// Gathers the delivery reports of one batch and answers once all are in.
final class BatchTicket: Sendable {
    fileprivate struct State {
        var results: [Result<Delivery, KafkaError>?]
        var left: Int
        var reader: CheckedContinuation<[Result<Delivery, KafkaError>], Never>?
    }
    private let state: Lock<State>

    init(count: Int) { state = Lock(State(results: Array(repeating: nil, count: count), left: count)) }

    func settle(_ index: Int, _ result: Result<Delivery, KafkaError>) {
        finish(
            state.withLock { state in
                state.set(index, result)
                return state.takeReader()
            })
    }

    /// The record at `index` could not be queued with `error`, and so those after it were not sent.
    func fail(from index: Int, _ error: KafkaError) {
        finish(
            state.withLock { state in
                for place in index..<state.results.count {
                    let skipped = KafkaError(
                        .skipped, name: "SKIPPED", text: "not sent, because an earlier record of the batch was not: \(error)",
                        isRetryable: error.isRetryable)
                    state.set(place, .failure(place == index ? error : skipped))
                }
                return state.takeReader()
            })
    }

    /// All results in the batch's order. One caller, once.
    func results() async -> [Result<Delivery, KafkaError>] {
        await withCheckedContinuation { reader in
            finish(
                state.withLock { state in
                    state.reader = reader
                    return state.takeReader()
                })
        }
    }

    private func finish(_ done: Done?) { done?.reader.resume(returning: done?.results ?? []) }

    fileprivate struct Done: Sendable {
        var reader: CheckedContinuation<[Result<Delivery, KafkaError>], Never>
        var results: [Result<Delivery, KafkaError>]
    }
}

extension BatchTicket.State {
    fileprivate mutating func set(_ index: Int, _ result: Result<Delivery, KafkaError>) {
        guard results[index] == nil else { return }
        results[index] = result
        left -= 1
    }

    /// The reader with its answer, when it is due. `left` is 0 only when every result is there.
    fileprivate mutating func takeReader() -> BatchTicket.Done? {
        guard left == 0, let reader else { return nil }
        self.reader = nil
        return BatchTicket.Done(reader: reader, results: results.compactMap(\.self))
    }
}

/// One record's claim on a place in a batch; librdkafka carries it as the record's opaque, retained once.
final class RecordTicket: Sendable {
    let batch: BatchTicket
    let index: Int

    init(_ batch: BatchTicket, _ index: Int) {
        self.batch = batch
        self.index = index
    }
}
