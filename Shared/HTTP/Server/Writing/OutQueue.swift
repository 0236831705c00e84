internal import CEpoll
internal import Glibc

/// Bytes on their way out: small ones are joined, big ones are kept as they are and sent by one gathering call.
struct OutQueue {
    private var segments: [[UInt8]] = []
    private var first = 0
    private var offset = 0
    private(set) var count = 0

    private static let joinedUpTo = 16 << 10
    private static let copiedUpTo = 8 << 10
    private static let gathered = 16

    var isEmpty: Bool { count == 0 }

    mutating func append(_ bytes: [UInt8]) {
        if bytes.isEmpty { return }
        count += bytes.count
        if let last = segments.indices.last, last >= first, segments[last].count + bytes.count <= Self.joinedUpTo {
            segments[last].append(contentsOf: bytes)
        } else {
            segments.append(bytes)
        }
    }

    /// A head and the body behind it: one segment when the body is small.
    mutating func append(head: consuming [UInt8], body: [UInt8]) {
        if body.count <= Self.copiedUpTo {
            head.append(contentsOf: body)
            append(head)
        } else {
            append(head)
            append(body)
        }
    }

    /// One chunk of a chunked reply.
    mutating func appendChunk(_ bytes: [UInt8]) {
        var head: [UInt8] = []
        head.reserveCapacity(bytes.count <= Self.copiedUpTo ? bytes.count + 12 : 12)
        ReplyHead.chunkSize(bytes.count, &head)
        append(head: head, body: bytes)
        append([Chars.carriageReturn, Chars.lineFeed])
    }

    /// Sends what the kernel takes: the number of bytes, or -1 with `errno`. A broken pipe is an error, not a signal.
    mutating func send(_ descriptor: Int32) -> Int {
        let sent: Int
        if segments.count - first == 1 {
            sent = unsafe segments[first].withUnsafeBytes { raw in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: raw[offset...])
                return unsafe Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
        } else {
            var vectors: [iovec] = unsafe []
            sent = unsafe gather(descriptor, first, &vectors)
        }
        if sent > 0 { drop(sent) }
        return sent
    }

    /// Nested, so that every pointer lives until the call is over.
    private func gather(_ descriptor: Int32, _ index: Int, _ vectors: inout [iovec]) -> Int {
        if unsafe index == segments.count || vectors.count == Self.gathered {
            return unsafe vectors.withUnsafeMutableBufferPointer { list in
                var message = unsafe msghdr()
                unsafe message.msg_iov = list.baseAddress
                unsafe message.msg_iovlen = list.count
                return unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
            }
        }
        return unsafe segments[index].withUnsafeBytes { raw in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: raw[(index == first ? offset : 0)...])
            unsafe vectors.append(iovec(iov_base: UnsafeMutableRawPointer(mutating: rest.baseAddress), iov_len: rest.count))
            return unsafe gather(descriptor, index + 1, &vectors)
        }
    }

    private mutating func drop(_ sent: Int) {
        var sent = sent
        count -= sent
        while sent > 0 {
            let left = segments[first].count - offset
            if sent < left {
                offset += sent
                break
            }
            sent -= left
            segments[first] = []
            first += 1
            offset = 0
        }
        if first == segments.count {
            segments = []
            first = 0
        } else if first > 64 {
            segments.removeFirst(first)
            first = 0
        }
    }
}
