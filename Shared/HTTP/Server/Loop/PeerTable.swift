internal import Synchronization
internal import Threads

/// How much each client holds at the moment. One per server: a client may be spread over several loops.
final class PeerTable: Sendable {
    private let held = Lock<[IPAddress: Int]>([:])
    private let most: Int

    init(most: Int) { self.most = most }

    /// Whether there was room for one more, which then is held. A client without an address is not limited.
    func take(_ address: IPAddress?) -> Bool {
        guard let client = address?.client else { return true }
        return held.withLock { held in
            let count = held[client, default: 0]
            if count >= most { return false }
            held[client] = count + 1
            return true
        }
    }

    /// Gives back what `take` gave.
    func giveBack(_ address: IPAddress?) {
        guard let client = address?.client else { return }
        held.withLock { held in
            guard let count = held[client] else { return }
            // A client that holds nothing costs nothing.
            held[client] = count > 1 ? count - 1 : nil
        }
    }
}
