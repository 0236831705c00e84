internal import Crypto
internal import Glibc
public import IngestDomain
internal import Synchronization
internal import Threads

/// Sketches in a file without a name, which is gone with whoever has it open. What was written last waits in memory for a megabyte to be full.
/// Calls may wait for the disk: they are made on threads of their own.
public final class SketchFile: SketchStore {
    private struct State {
        /// Hashes that are in the file.
        var written = 0
        /// Those behind them.
        var pending: [UInt32] = []
        var trouble: SketchTrouble?
    }

    private let descriptor: CInt
    private let state = Lock(State())
    private static let most = 1 << 18
    private static let width = MemoryLayout<UInt32>.stride

    /// An empty file on the disk that has the folder.
    /// - Throws: ``SketchTrouble``.
    public init(folder: String) throws {
        let path = folder + "/sketches-" + Hex.encode(Random.bytes(8))
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SketchTrouble(action: "made in \(folder)", code: errno) }
        unlink(path)
    }

    deinit { close(descriptor) }

    /// See `SketchStore`.
    public var trouble: (any Error)? { state.withLock { $0.trouble } }

    /// See `SketchStore`.
    public func keep(_ hashes: [UInt32]) -> Int {
        state.withLock { state in
            let place = state.written + state.pending.count
            state.pending += hashes
            if state.pending.count >= Self.most {
                let done = state.pending.withUnsafeBytes { write($0, at: state.written * Self.width) }
                if let done { state.trouble = state.trouble ?? done }
                state.written += state.pending.count
                state.pending.removeAll(keepingCapacity: true)
            }
            return place
        }
    }

    /// See `SketchStore`.
    public func withHashes<Result>(at place: Int, count: Int, _ body: (UnsafeBufferPointer<UInt32>) -> Result) -> Result {
        guard count > 0 else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        let waiting: [UInt32]? = state.withLock { state in
            place < state.written ? nil : Array(state.pending[(place - state.written)..<(place - state.written + count)])
        }
        if let waiting { return waiting.withUnsafeBufferPointer(body) }
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { buffer in
            let read = pread(descriptor, buffer.baseAddress, count * Self.width, off_t(place * Self.width))
            guard read == count * Self.width else {
                note(SketchTrouble(action: "read", code: read < 0 ? errno : EIO))
                return body(UnsafeBufferPointer(start: nil, count: 0))
            }
            return body(UnsafeBufferPointer(buffer))
        }
    }

    /// See `SketchStore`.
    public func forget(at place: Int, count: Int) {
        guard count > 0 else { return }
        state.withLock { state in
            if place >= state.written {
                for index in (place - state.written)..<(place - state.written + count) { state.pending[index] = 0 }
            } else {
                let done = [UInt32](repeating: 0, count: count).withUnsafeBytes { write($0, at: place * Self.width) }
                if let done { state.trouble = state.trouble ?? done }
            }
        }
    }

    private func note(_ trouble: SketchTrouble) { state.withLock { $0.trouble = $0.trouble ?? trouble } }

    /// - Returns: why not all of it was written; nil when it was.
    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> SketchTrouble? {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return SketchTrouble(action: "written", code: count < 0 ? errno : ENOSPC) }
            done += count
        }
        return nil
    }
}

/// Why sketches cannot be kept.
public struct SketchTrouble: Error, Sendable, CustomStringConvertible {
    let action: String
    let code: CInt

    /// The trouble in one line.
    public var description: String { "sketches cannot be \(action): \(String(cString: strerror(code)))" }
}
