internal import Synchronization
internal import Threads

/// Puts that come while others are on their way to the disk wait, and then go together: the disk is waited for a few times for all of them, not
/// for each. One that comes alone waits for nobody.
final class BatchedPuts: Sendable {
    private struct Waiting: Sendable {
        let blobs: [NamedBlob]
        let done: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var waiting: [Waiting] = []
        var isWriting = false
    }

    private let worker: FolderWorker
    private let state = Lock(State())
    /// Blobs of one go, as long as more than one put is in it.
    private static let mostBlobs = 256

    init(_ worker: FolderWorker) { self.worker = worker }

    /// Returns when all of them are durable.
    func put(_ blobs: [NamedBlob]) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isIdle = state.withLock { state in
                state.waiting.append(Waiting(blobs: blobs, done: continuation))
                defer { state.isWriting = true }
                return !state.isWriting
            }
            if isIdle { Task { await write() } }
        }
    }

    private func write() async {
        while let batch = next() {
            let ends = await worker.put(batch.map(\.blobs))
            for (waiting, fault) in zip(batch, ends) {
                if let fault { waiting.done.resume(throwing: fault) } else { waiting.done.resume() }
            }
        }
    }

    private func next() -> [Waiting]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isWriting = false
                return nil
            }
            var count = 1
            var blobs = state.waiting[0].blobs.count
            while count < state.waiting.count, blobs + state.waiting[count].blobs.count <= Self.mostBlobs {
                blobs += state.waiting[count].blobs.count
                count += 1
            }
            defer { state.waiting.removeFirst(count) }
            return Array(state.waiting.prefix(count))
        }
    }
}
