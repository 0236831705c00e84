/// What a command takes: the source of its parsing, its help and its error messages.
struct CommandSyntax: Sendable {
    /// Something that begins with `--`.
    struct Option: Sendable {
        /// Without the dashes.
        let name: String
        /// What its value is, in capitals, as the help shows it; nil for a flag, which has none.
        let value: String?
        /// One line for the help.
        let summary: String
        /// Whether it may be given more than once.
        let isRepeatable: Bool

        /// `--name`.
        static func flag(_ name: String, _ summary: String) -> Option {
            Option(name: name, value: nil, summary: summary, isRepeatable: false)
        }
        /// `--name VALUE` or `--name=VALUE`.
        static func value(_ name: String, _ value: String, _ summary: String) -> Option {
            Option(name: name, value: value, summary: summary, isRepeatable: false)
        }
        /// `--name VALUE`, as often as wanted.
        static func values(_ name: String, _ value: String, _ summary: String) -> Option {
            Option(name: name, value: value, summary: summary, isRepeatable: true)
        }
    }

    /// A word that stands for itself.
    struct Word: Sendable {
        /// In capitals, as the help shows it.
        let name: String
        /// One line for the help.
        let summary: String
        /// Whether it may be left out; optional words come last.
        var isOptional = false
    }

    /// As it is typed: `audit`, or `serve ledger`.
    let name: String
    /// What it does, in one line.
    let summary: String
    /// Its words, in their order.
    var words: [Word] = []
    /// Its options; `--help` is added.
    var options: [Option] = []
    /// Further paragraphs of the help: examples, exit statuses.
    var notes: [String] = []

    /// What `--help` prints.
    var help: String {
        var usage = "openledger \(name)"
        for word in words { usage += word.isOptional ? " [\(word.name)]" : " \(word.name)" }
        if !options.isEmpty { usage += " [options]" }
        var text = "\(summary)\n\nUsage: \(usage)\n"
        func table(_ rows: [(String, String)]) {
            let width = min(rows.map(\.0.count).max() ?? 0, 32)
            for (left, right) in rows {
                let gap = String(repeating: " ", count: max(width - left.count, 0))
                text += left.count > width ? "  \(left)\n  \(String(repeating: " ", count: width))  \(right)\n" : "  \(left)\(gap)  \(right)\n"
            }
        }
        if !words.isEmpty {
            text += "\n"
            table(words.map { ($0.name, $0.summary) })
        }
        text += "\nOptions:\n"
        table(
            options.map { option in
                ("--\(option.name)" + (option.value.map { " \($0)" } ?? "") + (option.isRepeatable ? " …" : ""), option.summary)
            } + [("--help", "Print this.")])
        for note in notes { text += "\n\(note)\n" }
        return text
    }
}

/// What stood on the command line behind the command's name.
struct Arguments: Sendable {
    /// The words, in their order.
    let words: [String]
    /// Whether the help was asked for; nothing else was checked then.
    let wantsHelp: Bool
    private let options: [String: [String]]
    private let known: Set<String>

    /// Reads what was typed. `--` ends the options; `--name=value` and `--name value` are the same; a lone `-` is a word.
    init(_ typed: [String], for syntax: CommandSyntax) throws(UsageError) {
        var words: [String] = []
        var options: [String: [String]] = [:]
        var rest = typed[...]
        known = Set(syntax.options.map(\.name))
        let beforeDashes = typed.prefix { $0 != "--" }
        wantsHelp = beforeDashes.contains("--help") || beforeDashes.contains("-h")
        if wantsHelp {
            self.words = []
            self.options = [:]
            return
        }
        while let item = rest.popFirst() {
            if item == "--" {
                words += rest
                break
            }
            guard item.hasPrefix("-"), item != "-" else {
                words.append(item)
                continue
            }
            let body = item.drop { $0 == "-" }
            let name = String(body.prefix { $0 != "=" })
            guard item.hasPrefix("--"), let option = syntax.options.first(where: { $0.name == name }) else {
                throw UsageError(
                    command: syntax.name, "there is no option \(item.prefix { $0 != "=" })",
                    suggestion: Suggestion.nearest(to: name, among: syntax.options.map(\.name) + ["help"]).map { "--" + $0 })
            }
            let given: String
            if body.contains("=") {
                guard option.value != nil else { throw UsageError(command: syntax.name, "--\(name) takes no value") }
                given = String(body.drop { $0 != "=" }.dropFirst())
            } else if let value = option.value {
                guard let next = rest.popFirst(), !next.hasPrefix("--") else {
                    throw UsageError(command: syntax.name, "--\(name) needs a value: --\(name) \(value)")
                }
                given = next
            } else {
                given = ""
            }
            guard option.isRepeatable || options[name] == nil else { throw UsageError(command: syntax.name, "--\(name) is given twice") }
            options[name, default: []].append(given)
        }
        let needed = syntax.words.filter { !$0.isOptional }.count
        if words.count < needed {
            throw UsageError(command: syntax.name, "\(syntax.words[words.count].name) is missing: \(syntax.words[words.count].summary)")
        }
        if words.count > syntax.words.count {
            throw UsageError(command: syntax.name, "\"\(words[syntax.words.count])\" is one word too many")
        }
        self.words = words
        self.options = options
    }

    /// The word at a place; nil when an optional one was left out.
    func word(_ index: Int) -> String? { index < words.count ? words[index] : nil }

    /// Whether a flag was given.
    func flag(_ name: String) -> Bool { all(name) != nil }

    /// An option's value; nil when it was not given.
    func value(_ name: String) -> String? { all(name)?.last }

    /// All values of a repeatable option.
    func values(_ name: String) -> [String] { all(name) ?? [] }

    /// A whole number within bounds; `standard` when it was not given.
    func integer(_ name: String, in range: ClosedRange<Int>, standard: Int) throws(UsageError) -> Int {
        guard let text = value(name) else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(command: nil, "--\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return number
    }

    private func all(_ name: String) -> [String]? {
        precondition(known.contains(name), "the command's syntax has no option --\(name)")
        return options[name]
    }
}

/// What was typed can't be understood or carried out as it stands.
struct UsageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The command, when it is known.
    let command: String?
    /// What is wrong.
    let reason: String
    /// What was probably meant.
    let suggestion: String?

    init(command: String?, _ reason: String, suggestion: String? = nil) {
        self.command = command
        self.reason = reason
        self.suggestion = suggestion
    }

    /// For a person, with what to do next.
    var description: String {
        reason + (suggestion.map { "; did you mean \($0)?" } ?? "") + (command.map { "\nSee: openledger \($0) --help" } ?? "")
    }
}

/// Finds the word that was probably meant.
enum Suggestion {
    /// The nearest candidate by edit distance, unless even it is too far off to be what was meant.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let word = Array(word.utf8.prefix(64))
        let ranked = candidates.map { ($0, distance(word, Array($0.utf8))) }.min { $0.1 < $1.1 }
        guard let (best, edits) = ranked, edits <= max(1, min(word.count, best.utf8.count) / 3) else { return nil }
        return best
    }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
