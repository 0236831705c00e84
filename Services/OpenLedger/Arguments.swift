/// What a command takes: its flags, values and operands, in one place for reading and for `--help`.
struct ArgumentSpecification: Sendable {
    /// One option.
    struct Option: Sendable {
        let name: String
        /// What stands for the value in `--help`; nil for a flag, which takes none.
        let value: String?
        let help: String
        var isRepeated = false
    }

    /// `openledger verify`, as it is typed.
    let command: String
    /// One line.
    let summary: String
    /// What follows the options, such as `FILE`; a trailing `?` marks one that may be left out.
    var operands: [String] = []
    var options: [Option] = []
    /// More to know, after the options.
    var notes = ""

    /// What `--help` prints.
    var help: String {
        var usage = "usage: \(command)"
        if !options.isEmpty { usage += " [options]" }
        for operand in operands { usage += operand.hasSuffix("?") ? " [\(operand.dropLast())]" : " \(operand)" }
        var text = usage + "\n\n" + summary + "\n"
        let all = options + [Option(name: "help", value: nil, help: "This text.")]
        let names = all.map { "--" + $0.name + ($0.value.map { " " + $0 } ?? "") }
        let width = names.map(\.count).max() ?? 0
        text += "\n"
        for (name, option) in zip(names, all) {
            text +=
                "  " + name + String(repeating: " ", count: width - name.count + 2) + option.help
                + (option.isRepeated ? " May be repeated." : "") + "\n"
        }
        if !notes.isEmpty { text += "\n" + notes + "\n" }
        return text
    }

    /// Reads what was typed after the command.
    /// - Throws: ``UsageError`` that names what is unknown, missing or too much.
    func parse(_ words: [String]) throws(UsageError) -> Arguments {
        var arguments = Arguments()
        var rest = words[...]
        var onlyOperands = false
        while let word = rest.popFirst() {
            if onlyOperands || !word.hasPrefix("-") || word == "-" {
                arguments.operands.append(word)
                continue
            }
            if word == "--" {
                onlyOperands = true
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0].drop { $0 == "-" })
            if name == "help" || word == "-h" { throw UsageError(help: help) }
            guard word.hasPrefix("--"), let option = options.first(where: { $0.name == name }) else {
                throw UsageError("\(parts[0]) is no option of \(command)\(suggestion(for: name)); see \(command) --help")
            }
            guard let placeholder = option.value else {
                if parts.count > 1 { throw UsageError("--\(name) takes no value") }
                arguments.flags.insert(name)
                continue
            }
            guard let value = parts.count > 1 ? String(parts[1]) : rest.popFirst() else {
                throw UsageError("--\(name) needs a value: \(placeholder)")
            }
            if !option.isRepeated, arguments.values[name] != nil { throw UsageError("--\(name) was given twice") }
            arguments.values[name, default: []].append(value)
        }
        let least = operands.filter { !$0.hasSuffix("?") }.count
        if arguments.operands.count < least { throw UsageError("\(operands[arguments.operands.count]) is missing; see \(command) --help") }
        if arguments.operands.count > operands.count {
            throw UsageError("\(arguments.operands[operands.count]) is too much; see \(command) --help")
        }
        return arguments
    }

    private func suggestion(for name: String) -> String {
        let near = options.map { ($0.name, EditDistance.between($0.name, name)) }.min { $0.1 < $1.1 }
        guard let near, near.1 <= 2 else { return "" }
        return "; did you mean --\(near.0)?"
    }
}

/// What was typed.
struct Arguments: Sendable {
    fileprivate(set) var operands: [String] = []
    fileprivate var values: [String: [String]] = [:]
    fileprivate var flags: Set<String> = []

    func has(_ flag: String) -> Bool { flags.contains(flag) }
    func value(_ name: String) -> String? { values[name]?.last }
    func all(_ name: String) -> [String] { values[name] ?? [] }

    /// A whole number within bounds.
    func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws(UsageError) -> Int {
        guard let text = value(name) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError("--\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(text)")
        }
        return number
    }

    /// A value that must be there.
    func required(_ name: String) throws(UsageError) -> String {
        guard let value = value(name) else { throw UsageError("--\(name) is missing") }
        return value
    }
}

/// The command line can't be used, or asked for help.
struct UsageError: Error, CustomStringConvertible {
    let description: String
    /// Help was asked for: it goes to standard output, and nothing is wrong.
    let isHelp: Bool

    init(_ description: String) {
        self.description = description
        isHelp = false
    }

    init(help: String) {
        description = help
        isHelp = true
    }
}

/// Levenshtein's distance, for "did you mean".
enum EditDistance {
    static func between(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (index, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (place, other) in right.enumerated() {
                let above = row[place + 1]
                row[place + 1] = min(above + 1, row[place] + 1, diagonal + (character == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
