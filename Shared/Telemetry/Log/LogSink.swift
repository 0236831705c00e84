internal import Glibc
internal import Synchronization
internal import Threads

/// Where finished log lines go.
public struct LogSink: Sendable {
    /// Takes one whole line, newline included.
    public let write: @Sendable ([UInt8]) -> Void

    /// A sink of one's own. The closure must take calls from many threads at once.
    public init(write: @escaping @Sendable ([UInt8]) -> Void) { self.write = write }

    /// Standard error.
    public static let standardError = LogSink.descriptor(2)

    /// An open file descriptor. A line is one write(2), so lines of several processes on one pipe do not mix while they
    /// stay below PIPE_BUF (4,096 bytes); what the kernel takes only in part is followed up. Written by the caller's thread: a line costs less
    /// than a hand-over, none is lost in a crash, and a reader that stalls for good stalls the service, which is better than running unseen.
    public static func descriptor(_ descriptor: Int32) -> LogSink {
        LogSink { line in
            line.withUnsafeBytes { bytes in
                var done = 0
                while done < bytes.count {
                    let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                    if count > 0 {
                        done += count
                    } else if errno != EINTR {
                        // A log that cannot be written must not stop the service, and there is nowhere left to say so.
                        return
                    }
                }
            }
        }
    }

    /// Drops everything.
    public static let nowhere = LogSink { _ in }
}

/// Keeps log lines in memory, for tests.
public final class LogRecorder: Sendable {
    private let kept = Lock<[String]>([])

    /// An empty recorder.
    public init() {}

    /// The sink to give to a `Logger`.
    public var sink: LogSink {
        LogSink { [self] line in
            let text = String(decoding: line.dropLast(), as: UTF8.self)
            kept.withLock { $0.append(text) }
        }
    }

    /// The lines so far, without their newlines.
    public var lines: [String] { kept.withLock { $0 } }
}
