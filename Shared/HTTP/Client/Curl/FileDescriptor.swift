internal import Glibc

/// A descriptor that closes with its last owner.
final class FileDescriptor: Sendable {
    let number: Int32

    init(_ number: Int32, of call: String) throws(HTTPClientError) {
        guard number >= 0 else {
            throw .transport(code: 0, text: "\(call): \(String(cString: strerror(errno)))", sent: false)
        }
        self.number = number
    }

    deinit { close(number) }

    func signal() {
        var one: UInt64 = 1
        // It can only fail when the counter is full, and then the thread is awake anyway.
        _ = write(number, &one, 8)
    }

    func clearSignal() {
        var count: UInt64 = 0
        _ = read(number, &count, 8)
    }
}
