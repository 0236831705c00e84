import Foundation
import JSON

/// Shows how a fine-tuning goes, in one line on a terminal and in a few elsewhere, and remembers the first and last loss.
final class WayMeter {
    private(set) var first = "?"
    private(set) var last = "?"
    private let isTerminal = isatty(2) == 1
    /// How many quarters were told of.
    private var quarters: Int64 = 0

    func show(_ progress: JSONValue?) {
        guard let progress, let step = progress["step"]?.intValue, let steps = progress["steps"]?.intValue, steps > 0,
            let loss = progress["loss_micros"]?.intValue
        else { return }
        last = String(format: "%.2f", Double(loss) / 1_000_000)
        if first == "?" { first = last }
        let text = "   step \(step) of \(steps), loss \(last)"
        guard isTerminal else {
            if step * 4 / steps > quarters { Terminal.note(text) }
            quarters = step * 4 / steps
            return
        }
        FileHandle.standardError.write(Data("\r\(text)   ".utf8))
    }

    func end() { if isTerminal { FileHandle.standardError.write(Data("\r                                        \r".utf8)) } }
}
