internal import Crypto
internal import Synchronization
internal import Threads

/// Lists too long for an event, at hand while events that name them are applied. The evidence store keeps them for good.
final class EvidenceShelf: Sendable {
    /// At most this many are at hand; the oldest goes first.
    static let maximumCount = 4_096

    private struct Contents {
        var bytes: [Digest: [UInt8]] = [:]
        var order: [Digest] = []
    }

    private let contents = Lock(Contents())

    func bytes(_ digest: Digest) -> [UInt8]? { contents.withLock { $0.bytes[digest] } }

    func put(_ digest: Digest, _ bytes: [UInt8]) {
        contents.withLock { contents in
            guard contents.bytes.updateValue(bytes, forKey: digest) == nil else { return }
            contents.order.append(digest)
            if contents.order.count > Self.maximumCount { contents.bytes[contents.order.removeFirst()] = nil }
        }
    }
}
