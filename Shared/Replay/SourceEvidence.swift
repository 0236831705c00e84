public import Crypto
public import EventLog
internal import Synchronization
internal import Threads

/// Evidence that lies beside a log, in a bundle or on a server. It waits: call it from a thread of one's own.
public struct SourceEvidence: EvidenceReader {
    private let source: any LogSource

    /// The evidence beside a log.
    public init(_ source: any LogSource) { self.source = source }

    /// Fetches it.
    public func find(_ digest: Digest) throws -> [UInt8]? {
        let answer = Answer()
        Task.detached { [source] in
            do { answer.give(.success(try await source.evidence(digest))) } catch { answer.give(.failure(error)) }
        }
        return try answer.wait().get()
    }

    /// Handed from a task to a thread that waits for it.
    private final class Answer: Sendable {
        private let signal = ThreadSignal()
        private let result = Lock<Result<[UInt8]?, any Error>?>(nil)

        func give(_ result: Result<[UInt8]?, any Error>) {
            self.result.withLock { $0 = result }
            signal.raise()
        }

        func wait() -> Result<[UInt8]?, any Error> {
            while true {
                if let result = result.withLock({ $0 }) { return result }
                _ = signal.wait(atMost: .seconds(1))
            }
        }
    }
}
