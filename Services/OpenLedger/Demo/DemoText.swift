/// Figures and lines as the stories show them.
enum DemoText {
    /// With a comma at every third digit.
    static func number(_ value: Int) -> String {
        var text = ""
        for (index, digit) in String(value).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// At the right end of so many columns.
    static func right(_ text: String, _ columns: Int) -> String { String(repeating: " ", count: max(0, columns - text.count)) + text }

    /// Parts of 10^9 to a tenth of a percent, rounded half up.
    static func percent(_ billionths: Int64) -> String {
        let tenths = (billionths + 500_000) / 1_000_000
        return "\(tenths / 10).\(tenths % 10) %"
    }

    /// On one line, and with an ellipsis where it is cut.
    static func line(_ text: String, atMost count: Int) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count <= count ? line : line.prefix(count - 1) + "…"
    }
}
