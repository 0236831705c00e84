internal import Glibc
internal import Synchronization
internal import Threads

/// Reads settings: `OPENLEDGER_<NAME>` from the environment, or the same keys from one file named by `OPENLEDGER_CONFIG`; the
/// environment wins. A secret may also stand in a file of its own, named by `OPENLEDGER_<NAME>_FILE`.
///
///     let settings = try Configuration.ofProcess()
///     let port = try settings.integer("PORT", in: 1...65_535, default: 7400)
///     for key in settings.unknownKeys() { log.warning("unknown setting", ["setting": .string(key)]) }
///
/// Every getter takes the name without the prefix and throws `ConfigurationError`, which names the key and what was expected.
public struct Configuration: Sendable {
    /// What every key begins with.
    public static let prefix = "OPENLEDGER_"

    private final class Asked: Sendable {
        let keys = Lock<Set<String>>([])
    }

    private let values: [String: String]
    private let asked = Asked()

    /// Settings from values at hand, keys with their prefix: tests, the command line.
    public init(_ values: [String: String]) { self.values = values }

    /// The settings of this process.
    public static func ofProcess() throws(ConfigurationError) -> Configuration { try merge(environment: environment()) }

    /// Joins an environment with the file that its `OPENLEDGER_CONFIG` names. Keys without the prefix are left out.
    public static func merge(environment: [String: String]) throws(ConfigurationError) -> Configuration {
        var merged: [String: String] = [:]
        if let path = environment["OPENLEDGER_CONFIG"] {
            guard let bytes = SmallFile.read(path) else {
                throw ConfigurationError(key: "OPENLEDGER_CONFIG", expected: "a file that can be read (\(SmallFile.reason()))", found: path)
            }
            merged = try ConfigurationFile.parse(bytes, name: path)
        }
        for (key, value) in environment where key.hasPrefix(prefix) { merged[key] = value }
        merged["OPENLEDGER_CONFIG"] = nil
        return Configuration(merged)
    }

    /// The text of a setting, nil when it is not set or empty.
    public func string(_ name: String) -> String? { raw(name) }

    /// The text of a setting, or the default.
    public func string(_ name: String, default fallback: String) -> String { raw(name) ?? fallback }

    /// The text of a setting that must be there.
    /// - Parameter expected: what to say when it is not, such as `the address of the database, postgres://…`.
    public func required(_ name: String, _ expected: String) throws(ConfigurationError) -> String {
        guard let text = raw(name) else { throw ConfigurationError(key: Self.prefix + name, expected: expected) }
        return text
    }

    /// A whole number within bounds.
    public func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws(ConfigurationError) -> Int {
        guard let text = raw(name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw ConfigurationError(
                key: Self.prefix + name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)", found: text)
        }
        return value
    }

    /// `true`, `false`, `yes`, `no`, `on`, `off`, `1` or `0`.
    public func boolean(_ name: String, default fallback: Bool) throws(ConfigurationError) -> Bool {
        guard let text = raw(name) else { return fallback }
        switch text {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw ConfigurationError(key: Self.prefix + name, expected: "true or false", found: text)
        }
    }

    /// A time such as `250ms`, `30s`, `5m`, `2h`, `7d`; within bounds.
    public func duration(
        _ name: String, in range: ClosedRange<Duration>, default fallback: Duration
    ) throws(ConfigurationError) -> Duration {
        guard let text = raw(name) else { return fallback }
        let units: [(String, Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        guard let milliseconds = Self.scaled(text, units), range.contains(.milliseconds(milliseconds)) else {
            throw ConfigurationError(
                key: Self.prefix + name,
                expected: "a time such as 250ms, 30s, 5m, 2h or 7d, from \(range.lowerBound) to \(range.upperBound)",
                found: text)
        }
        return .milliseconds(milliseconds)
    }

    /// A number of bytes such as `65536`, `64KiB`, `10MiB`, `1GiB`; within bounds.
    public func bytes(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws(ConfigurationError) -> Int {
        guard let text = raw(name) else { return fallback }
        let units: [(String, Int64)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1), ("", 1)]
        guard let count = Self.scaled(text, units), let value = Int(exactly: count), range.contains(value) else {
            throw ConfigurationError(
                key: Self.prefix + name,
                expected: "a number of bytes such as 65536, 64KiB or 10MiB, from \(range.lowerBound) to \(range.upperBound)", found: text)
        }
        return value
    }

    /// One of the raw values of an enumeration.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, default fallback: Choice
    ) throws(ConfigurationError) -> Choice where Choice.RawValue == String {
        guard let text = raw(name) else { return fallback }
        guard let value = Choice(rawValue: text) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError(key: Self.prefix + name, expected: "one of \(all)", found: text)
        }
        return value
    }

    /// The level of log lines.
    public func logLevel(_ name: String = "LOG_LEVEL", default fallback: LogLevel = .info) throws(ConfigurationError) -> LogLevel {
        guard let text = raw(name) else { return fallback }
        guard let level = LogLevel(name: text) else {
            let all = LogLevel.allCases.map(\.name).joined(separator: ", ")
            throw ConfigurationError(key: Self.prefix + name, expected: "one of \(all)", found: text)
        }
        return level
    }

    /// Items between commas, blanks around them taken off, empty ones left out.
    public func list(_ name: String, default fallback: [String] = []) -> [String] {
        guard let text = raw(name) else { return fallback }
        return text.split(separator: ",").map { item in
            var item = item.drop(while: { $0 == " " })
            while item.last == " " { item.removeLast() }
            return String(item)
        }.filter { !$0.isEmpty }
    }

    /// A secret: the setting itself, or the content of the file that `OPENLEDGER_<NAME>_FILE` names, without the newline at its end.
    /// Setting both is an error, since one of them is then not in use though somebody believes it is. Never shown in an error.
    public func secret(_ name: String) throws(ConfigurationError) -> String? {
        let plain = raw(name)
        guard let path = raw(name + "_FILE") else { return plain }
        let key = Self.prefix + name + "_FILE"
        guard plain == nil else { throw ConfigurationError(key: key, expected: "unset while \(Self.prefix)\(name) is set") }
        guard var bytes = SmallFile.read(path, limit: 64 << 10) else {
            throw ConfigurationError(key: key, expected: "a file that can be read (\(SmallFile.reason()))", found: path)
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(key: key, expected: "a file with one secret in UTF-8", found: path)
        }
        return text
    }

    /// Keys that were set and that nobody asked for: a typing error, mostly. Call when all settings have been read.
    public func unknownKeys() -> [String] {
        let asked = asked.keys.withLock { $0 }
        return values.keys.filter { !asked.contains($0) }.sorted()
    }

    static func isKey(_ key: String) -> Bool {
        key.hasPrefix(prefix) && key.utf8.count > prefix.utf8.count
            && key.utf8.allSatisfy {
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "_")
            }
    }

    private func raw(_ name: String) -> String? {
        let key = Self.prefix + name
        asked.keys.withLock { _ = $0.insert(key) }
        guard let value = values[key], !value.isEmpty else { return nil }
        return value
    }

    private static func scaled(_ text: String, _ units: [(suffix: String, factor: Int64)]) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), let unit = units.first(where: { $0.suffix == text[digits.endIndex...] }) else { return nil }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit.factor)
        return overflow ? nil : value
    }

    private static func environment() -> [String: String] {
        // The start environment as the kernel keeps it: unlike `environ` it cannot change under the reader.
        var all: [String: String] = [:]
        for entry in (SmallFile.read("/proc/self/environ", limit: 4 << 20) ?? []).split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            all[String(decoding: entry[..<equals], as: UTF8.self)] = String(decoding: entry[(equals + 1)...], as: UTF8.self)
        }
        return all
    }
}
