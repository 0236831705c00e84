internal import Glibc
internal import Synchronization
internal import Threads

/// Where a command writes: results to the standard output, everything else to the standard error.
struct Console: Sendable {
    /// A line of the result.
    let out: @Sendable (String) -> Void
    /// A line for whoever watches.
    let err: @Sendable (String) -> Void
    /// Draws over the line that it drew before; nil where nobody watches.
    let redraw: (@Sendable (String) -> Void)?

    /// The process's own.
    static var standard: Console {
        let line: @Sendable (String) -> Void = { text in write(2, "\r\u{1B}[K" + text) }
        return Console(out: { write(1, $0 + "\n") }, err: { write(2, $0 + "\n") }, redraw: isatty(2) == 1 ? line : nil)
    }

    private static func write(_ file: Int32, _ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let put = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { return }
            bytes = bytes.dropFirst(put)
        }
    }
}

/// Shows how far something has come, a few times a second, where somebody watches.
final class ProgressLine: Sendable {
    private let console: Console
    private let verb: String
    private let drawn = Lock<ContinuousClock.Instant?>(nil)

    init(_ verb: String, _ console: Console) {
        self.verb = verb
        self.console = console
    }

    /// Draws, unless it just did.
    func show(done: UInt64, total: UInt64, rate: Double) {
        guard let redraw = console.redraw else { return }
        let now = ContinuousClock.now
        let isDue = drawn.withLock { last in
            if let last, now - last < .milliseconds(200), done < total { return false }
            last = now
            return true
        }
        guard isDue else { return }
        let percent = total == 0 ? 100 : done * 100 / total
        redraw("\(verb) \(Text.grouped(done)) of \(Text.grouped(total)) events (\(percent) %), \(Text.grouped(UInt64(rate))) events/s")
    }

    /// Ends the line.
    func finish() {
        if drawn.withLock({ $0 }) != nil { console.redraw?("") }
    }
}

/// Numbers for people.
enum Text {
    /// 1234567 → `1,234,567`.
    static func grouped(_ value: UInt64) -> String {
        var digits = Array(String(value).utf8)
        var at = digits.count - 3
        while at > 0 {
            digits.insert(UInt8(ascii: ","), at: at)
            at -= 3
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// `523.1 MB`.
    static func size(_ bytes: UInt64) -> String {
        for (unit, name) in [(UInt64(1_000_000_000), "GB"), (1_000_000, "MB"), (1_000, "kB")] where bytes >= unit {
            return "\(bytes / unit).\(bytes % unit * 10 / unit) \(name)"
        }
        return "\(bytes) bytes"
    }

    /// `3.25 s`.
    static func seconds(_ duration: Duration) -> String {
        let hundredths = duration / Duration.milliseconds(10)
        let rounded = UInt64(max(hundredths, 0))
        return "\(rounded / 100).\(rounded % 100 < 10 ? "0" : "")\(rounded % 100) s"
    }
}
