internal import Synchronization
internal import Threads

/// Holds a body's producer to the length it stated.
final class LengthCheck: Sendable {
    private let stated: Int?
    private let count = Lock(0)

    init(_ stated: Int?) {
        self.stated = stated
    }

    func add(_ more: Int) throws(HTTPClientError) {
        let total = count.withLock { count in
            count += more
            return count
        }
        if let stated, total > stated { throw .invalidRequest("the body is longer than its stated length \(stated)") }
    }

    func end() throws(HTTPClientError) {
        let total = count.withLock { $0 }
        if let stated, total != stated {
            throw .invalidRequest("the body has \(total) bytes, its stated length is \(stated)")
        }
    }
}
