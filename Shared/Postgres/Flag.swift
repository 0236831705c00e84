internal import Synchronization
internal import Threads

/// A yes or no that one side sets and the other asks for.
final class Flag: Sendable {
    private let value = Lock(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}
