/// A file of settings: `OPENLEDGER_KEY=value` lines, `#` comments, blank lines. Quotes around a whole value are taken off;
/// nothing is expanded.
enum ConfigurationFile {
    static func parse(_ bytes: [UInt8], name: String) throws(ConfigurationError) -> [String: String] {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(key: name, expected: "UTF-8 text")
        }
        var settings: [String: String] = [:]
        // By bytes: to Swift a carriage return and a line feed are one character.
        for (index, line) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let line = trimmed(Substring(line))
            if line.isEmpty || line.utf8.first == UInt8(ascii: "#") { continue }
            let place = "\(name) line \(index + 1)"
            guard let equals = line.firstIndex(of: "=") else {
                // The line may hold a secret whose key was forgotten: it is not shown.
                throw ConfigurationError(key: place, expected: "KEY=value")
            }
            let key = String(trimmed(line[..<equals]))
            guard Configuration.isKey(key) else {
                throw ConfigurationError(
                    key: place, expected: "\(Configuration.prefix)<NAME>=value with a name in A-Z, 0-9 and _", found: key)
            }
            guard settings.updateValue(unquoted(trimmed(line[line.index(after: equals)...])), forKey: key) == nil else {
                throw ConfigurationError(key: place, expected: "a key that is not set twice", found: key)
            }
        }
        return settings
    }

    private static func trimmed(_ text: Substring) -> Substring {
        func blank(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" }
        var text = text.drop(while: blank)
        while let last = text.last, blank(last) { text.removeLast() }
        return text
    }

    private static func unquoted(_ value: Substring) -> String {
        guard value.count >= 2, let first = value.first, first == "\"" || first == "'", value.last == first else { return String(value) }
        return String(value.dropFirst().dropLast())
    }
}
