internal import Glibc
internal import Synchronization
internal import Threads

/// Wakes a thread that waits in `poll`.
final class WakePipe: Sendable {
    private let reading: Int32
    private let writing: Int32
    private let signalled = Flag()

    init() {
        var ends: [Int32] = [-1, -1]
        // Without descriptors nothing here could work: it is then always signalled.
        if pipe(&ends) != 0 { signalled.set() }
        (reading, writing) = (ends[0], ends[1])
        for end in ends where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    deinit {
        if reading >= 0 { Glibc.close(reading) }
        if writing >= 0 { Glibc.close(writing) }
    }

    var isSignalled: Bool { signalled.isSet }

    func signal() {
        signalled.set()
        var byte: UInt8 = 1
        if writing >= 0 { _ = write(writing, &byte, 1) }
    }

    /// Waits for a signal, for input on `descriptor`, or until `duration` is over.
    func wait(_ duration: Duration?, or descriptor: Int32) {
        var both = [pollfd(fd: reading, events: Int16(POLLIN), revents: 0), pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        let milliseconds = duration.map {
            Int32(clamping: $0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000)
        }
        _ = poll(&both, 2, milliseconds ?? -1)
    }
}
