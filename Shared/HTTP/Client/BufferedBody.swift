internal import HTTP
internal import Synchronization
internal import Threads

/// A body that is here already.
final class BufferedBody: BodySource {
    private let bytes: Lock<[UInt8]>

    init(_ bytes: [UInt8]) {
        self.bytes = Lock(bytes)
    }

    func next() async throws -> [UInt8]? {
        if Task.isCancelled { throw HTTPClientError.cancelled }
        return bytes.withLock { bytes -> [UInt8]? in
            if bytes.isEmpty { return nil }
            defer { bytes = [] }
            return bytes
        }
    }
}
