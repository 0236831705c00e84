import Foundation
import JSON

/// Shows how a fine-tuning goes, on a terminal, and remembers the first and last loss.
final class WayMeter {
    private(set) var first = "?"
    private(set) var last = "?"
    private let isTerminal = isatty(2) == 1

    func show(_ progress: JSONValue?) {
        guard let progress, let step = progress["step"]?.intValue, let steps = progress["steps"]?.intValue, steps > 0,
            let loss = progress["loss_micros"]?.intValue
        else { return }
        last = String(format: "%.2f", Double(loss) / 1_000_000)
        if first == "?" { first = last }
        if isTerminal { FileHandle.standardError.write(Data("\r   step \(step) of \(steps), loss \(last)   ".utf8)) }
    }

    func end() { if isTerminal { FileHandle.standardError.write(Data("\r                                        \r".utf8)) } }
}
