/// The lines of Prometheus text exposition format 0.0.4.
struct ExpositionText {
    private(set) var text = ""

    static func isName(_ name: String, colon: Bool) -> Bool {
        guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
        return name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"):
                true
            case UInt8(ascii: ":"): colon
            default: false
            }
        }
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        // Whole numbers without their ".0", as Prometheus writes them.
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return String(value)
    }

    mutating func header(_ name: String, _ help: String, _ kind: String) {
        text += "# HELP \(name) \(Self.escape(help, quote: false))\n# TYPE \(name) \(kind)\n"
    }

    mutating func sample(_ name: String, _ labels: [String], _ values: [String], _ number: String) {
        text += name
        if !labels.isEmpty {
            let pairs = zip(labels, values).map { "\($0)=\"\(Self.escape($1, quote: true))\"" }
            text += "{" + pairs.joined(separator: ",") + "}"
        }
        text += " \(number)\n"
    }

    mutating func histogram(_ name: String, _ labels: [String], _ values: [String], _ series: Histogram) {
        let (counts, sum) = series.snapshot
        var running: UInt64 = 0
        for (index, count) in counts.enumerated() {
            running += count
            let bound = index < series.bounds.count ? Self.number(series.bounds[index]) : "+Inf"
            sample(name + "_bucket", labels + ["le"], values + [bound], String(running))
        }
        sample(name + "_sum", labels, values, Self.number(sum))
        sample(name + "_count", labels, values, String(running))
    }

    private static func escape(_ text: String, quote: Bool) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += #"\\"#
            case "\n": out += #"\n"#
            case "\"" where quote: out += #"\""#
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
