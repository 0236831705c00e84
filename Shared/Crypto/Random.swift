internal import CCrypto
internal import Glibc
internal import Synchronization

/// The system's randomness: getrandom(2), buffered, because a system call for every 16-byte id costs 15 times more.
public enum Random {
    /// Random bytes, fit for keys.
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            fill(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
            filled = count
        }
    }

    /// 64 random bits.
    public static func uint64() -> UInt64 {
        var value: UInt64 = 0
        withUnsafeMutableBytes(of: &value) { fill($0) }
        return value
    }

    private static func fill(_ out: UnsafeMutableRawBufferPointer) {
        // The thread sanitizer does not see `Mutex`, so under it every call goes to the system.
        #if TSAN
            system(out)
        #else
            guard out.count <= 256 else { return system(out) }
            pool.withLock { $0.take(out) }
        #endif
    }

    private static func system(_ out: UnsafeMutableRawBufferPointer) {
        var done = 0
        while done < out.count {
            let got = getrandom(out.baseAddress.map { $0 + done }, out.count - done, 0)
            // Only a signal may interrupt it. Without randomness there are no keys: nothing could go on.
            precondition(got > 0 || errno == EINTR, "getrandom failed")
            if got > 0 { done += got }
        }
    }

    #if !TSAN
        private static let pool = Mutex(Pool())

        private struct Pool {
            var bytes = [UInt8](repeating: 0, count: 4096)
            var next = 4096

            mutating func take(_ out: UnsafeMutableRawBufferPointer) {
                if bytes.count - next < out.count {
                    bytes.withUnsafeMutableBytes { Random.system($0) }
                    next = 0
                }
                let from = next
                bytes.withUnsafeMutableBytes { pool in
                    let taken = UnsafeMutableRawBufferPointer(rebasing: pool[from..<from + out.count])
                    out.copyMemory(from: UnsafeRawBufferPointer(taken))
                    // A later look into this memory must not find a key that was handed out.
                    OPENSSL_cleanse(taken.baseAddress, taken.count)
                }
                next += out.count
            }
        }
    #endif
}

/// Whether the bytes are equal, in a time that depends on their number only.
public func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
}
