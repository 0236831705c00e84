internal import Crypto
internal import Identity
internal import Synchronization
internal import Threads

/// Clients' assertions that were taken: none is taken twice while it holds (RFC 7523 §3, `jti`), so whoever overhears one has nothing of it.
/// They are known in this process alone; another gateway of the house does not know of them.
final class UsedAssertions: Sendable {
    /// Most that are remembered of one client, and of all.
    static let mostOfOne = 1_000
    static let most = 100_000

    /// What came of taking one.
    enum Answer: Sendable { case taken, usedBefore, tooMany }

    private struct Used {
        var ends: [String: [String: Int64]] = [:]
        var count = 0
    }
    private let used = Lock(Used())

    /// Takes an assertion of a client.
    /// - Parameter now: seconds since 1970.
    func take(_ use: ClientAssertion.Use, of client: String, now: Int64) -> Answer {
        // However long its name is.
        let name = SHA256.hash(utf8: use.id).hex
        return used.withLock { used in
            if used.count >= Self.most { for other in Array(used.ends.keys) { Self.forget(&used, other, now) } }
            Self.forget(&used, client, now)
            let own = used.ends[client] ?? [:]
            guard own[name] == nil else { return .usedBefore }
            guard own.count < Self.mostOfOne, used.count < Self.most else { return .tooMany }
            used.ends[client, default: [:]][name] = use.end
            used.count += 1
            return .taken
        }
    }

    private static func forget(_ used: inout Used, _ client: String, _ now: Int64) {
        guard let own = used.ends[client] else { return }
        let left = own.filter { $0.value > now }
        used.count -= own.count - left.count
        used.ends[client] = left.isEmpty ? nil : left
    }
}
