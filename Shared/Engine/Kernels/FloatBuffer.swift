internal import Glibc

// Unchecked: the memory is allocated once and freed with the object. Who holds a buffer writes it either before it is
// shared or from one thread of a ComputePool at a time, with the pool's hand-over between writes and reads.
/// A fixed block of floats, aligned to a cache line, zero at first.
final class FloatBuffer: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    let count: Int

    init(_ count: Int) {
        self.count = count
        let bytes = max(64, (count * 4 + 63) / 64 * 64)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        memset(raw, 0, bytes)
        base = raw.bindMemory(to: Float.self, capacity: bytes / 4)
    }

    convenience init(_ values: [Float]) {
        self.init(values.count)
        values.withUnsafeBufferPointer { if let from = $0.baseAddress { memcpy(base, from, values.count * 4) } }
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }

    func clear() { memset(base, 0, count * 4) }
}
