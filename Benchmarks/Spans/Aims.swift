import Foundation

/// What is to be reached, and whether it was: printed at the end, each with its bound.
struct Aims {
    private struct Aim {
        let name: String
        let seen: String
        let wanted: String
        let isMet: Bool
    }

    private var aims: [Aim] = []

    /// Something of which more is better.
    mutating func hold(_ name: String, _ seen: Double, atLeast bound: Double, _ unit: String = "×") {
        aims.append(Aim(name: name, seen: Self.text(seen, unit), wanted: "≥ " + Self.text(bound, unit), isMet: seen >= bound))
    }

    /// Something of which less is better.
    mutating func hold(_ name: String, _ seen: Double, atMost bound: Double, _ unit: String = "×") {
        aims.append(Aim(name: name, seen: Self.text(seen, unit), wanted: "≤ " + Self.text(bound, unit), isMet: seen <= bound))
    }

    /// Something that is only to be said.
    mutating func say(_ name: String, _ seen: String) { aims.append(Aim(name: name, seen: seen, wanted: "said", isMet: true)) }

    /// As a table of Markdown.
    func show() {
        print("\n| aim | seen | wanted | |\n| --- | ---: | ---: | --- |")
        for aim in aims {
            print("| \(aim.name) | \(aim.seen) | \(aim.wanted) | \(aim.wanted == "said" ? "" : aim.isMet ? "met" : "missed") |")
        }
    }

    private static func text(_ value: Double, _ unit: String) -> String {
        let number = value == value.rounded() && abs(value) < 1e6 ? String(format: "%.0f", value) : String(format: "%.2f", value)
        return number + (unit == "×" || unit == "%" ? unit : " " + unit)
    }
}
