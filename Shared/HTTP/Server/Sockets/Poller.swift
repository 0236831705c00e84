internal import CEpoll
internal import Glibc

/// The kernel's list of sockets to watch.
final class Poller: Sendable {
    private let descriptor: Int32

    init() throws(SystemError) { descriptor = try checked("epoll_create1", epoll_create1(Int32(EPOLL_CLOEXEC))) }

    deinit { close(descriptor) }

    /// Level-triggered, for reading.
    /// - Parameter exclusive: whether other pollers watch the same socket, one of which is to be woken.
    func watch(_ socket: Int32, tag: UInt64, exclusive: Bool = false) throws(SystemError) {
        try add(socket, EPOLLIN.rawValue | (exclusive ? EPOLLEXCLUSIVE.rawValue : 0), tag)
    }

    /// Edge-triggered, for reading: each ring of an `eventfd` is told once, and nobody has to read it.
    func watchBell(_ bell: Int32, tag: UInt64) throws(SystemError) { try add(bell, EPOLLIN.rawValue | EPOLLET.rawValue, tag) }

    /// Edge-triggered, both ways, and told when the other side ends.
    func watchConnection(_ socket: Int32, tag: UInt64) throws(SystemError) {
        try add(socket, EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue, tag)
    }

    func ignore(_ socket: Int32) {
        var event = unsafe epoll_event()
        _ = unsafe epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, &event)
    }

    /// Waits at most `milliseconds`, for ever when that is negative. The number of events found.
    func wait(_ events: inout [epoll_event], milliseconds: Int32) -> Int {
        max(0, Int(unsafe epoll_wait(descriptor, &events, Int32(events.count), milliseconds)))
    }

    private func add(_ socket: Int32, _ events: UInt32, _ tag: UInt64) throws(SystemError) {
        var event = unsafe epoll_event(events: events, data: epoll_data_t(u64: tag))
        try checked("epoll_ctl", unsafe epoll_ctl(descriptor, EPOLL_CTL_ADD, socket, &event))
    }
}
