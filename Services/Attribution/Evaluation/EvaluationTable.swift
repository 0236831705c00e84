import Foundation

/// What an evaluation found, beside what was to be reached.
public struct EvaluationTable: Sendable, Hashable {
    /// One line.
    public struct Row: Sendable, Hashable {
        /// What was measured.
        public let name: String
        /// The figure without the defence; nil where there is none to switch off.
        public let without: Double?
        /// The figure.
        public let value: Double
        /// The bound.
        public let bound: Double
        /// Whether the figure has to stay at the bound or below; otherwise at it or above.
        public let isUpper: Bool

        /// Whether the bound is met.
        public var isMet: Bool { isUpper ? value <= bound : value >= bound }
    }

    /// The lines in order.
    public internal(set) var rows: [Row] = []

    /// Nothing yet.
    public init() {}

    /// Whether every bound is met.
    public var isMet: Bool { rows.allSatisfy(\.isMet) }

    mutating func add(_ name: String, without: Double? = nil, _ value: Double, atMost bound: Double) {
        rows.append(Row(name: name, without: without, value: value, bound: bound, isUpper: true))
    }

    mutating func add(_ name: String, _ value: Double, atLeast bound: Double) {
        rows.append(Row(name: name, without: nil, value: value, bound: bound, isUpper: false))
    }

    /// The table as Markdown.
    public var markdown: String {
        var text = "| what | defence off | figure | bound | met |\n| --- | ---: | ---: | ---: | --- |\n"
        for row in rows {
            let off = row.without.map(Self.number) ?? ""
            text += "| \(row.name) | \(off) | \(Self.number(row.value)) | \(row.isUpper ? "≤" : "≥") \(Self.number(row.bound)) "
            text += "| \(row.isMet ? "yes" : "no") |\n"
        }
        return text
    }

    /// Four digits after the point: most figures are ratios. Small ones in powers of ten.
    static func number(_ value: Double) -> String {
        if value != 0, abs(value) < 0.001 { return String(format: "%.1e", value) }
        return String(format: "%.4f", value)
    }
}
