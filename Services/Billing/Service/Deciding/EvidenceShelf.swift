internal import Crypto
internal import Synchronization
internal import Threads

/// Lists too long for an event, at hand while events that name them are applied. The evidence store keeps them for good.
final class EvidenceShelf: Sendable {
    /// At most so many bytes are at hand, the newest list whatever its size; what was asked for longest ago goes first.
    let maximumBytes: Int

    private struct Contents {
        var lists: [Digest: (bytes: [UInt8], turn: Int)] = [:]
        /// Who came when, from `head` on; a list that came again has more than one place, of which the last counts.
        var order: [(digest: Digest, turn: Int)] = []
        var head = 0
        var turn = 0
        var bytes = 0
    }

    private let contents = Lock(Contents())

    /// - Parameter maximumBytes: what is kept at hand.
    init(maximumBytes: Int = 128 << 20) { self.maximumBytes = maximumBytes }

    func bytes(_ digest: Digest) -> [UInt8]? { contents.withLock { $0.lists[digest]?.bytes } }

    /// Puts a list at hand, as the newest one, be it there already or not.
    func put(_ digest: Digest, _ bytes: [UInt8]) {
        contents.withLock { contents in
            contents.turn += 1
            if contents.lists.updateValue((bytes, contents.turn), forKey: digest) == nil { contents.bytes += bytes.count }
            contents.order.append((digest, contents.turn))
            while contents.bytes > maximumBytes, contents.head < contents.order.count - 1 {
                let oldest = contents.order[contents.head]
                contents.head += 1
                guard let list = contents.lists[oldest.digest], list.turn == oldest.turn else { continue }
                contents.bytes -= list.bytes.count
                contents.lists[oldest.digest] = nil
            }
            Self.tidy(&contents)
        }
    }

    /// Places that count no more are dropped before they outnumber the lists.
    private static func tidy(_ contents: inout Contents) {
        guard contents.order.count > 1_024, contents.order.count > contents.lists.count * 2 else { return }
        let lists = contents.lists
        contents.order = contents.order[contents.head...].filter { lists[$0.digest]?.turn == $0.turn }
        contents.head = 0
    }
}
