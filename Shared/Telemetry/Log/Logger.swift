/// Writes log lines: a level, a message that does not vary, and named fields that do.
///
///     let log = Logger(level: .info).with(["service": "billing"])
///     log.info("hold placed", ["hold": .string(id), "milliseconds": 3])
///
/// A value; a child made by `with` carries its parent's fields. Fields whose name tells of a secret are written as
/// `[redacted]` (see `Redaction`), text is cut at `fieldBound` bytes, and nothing in a value can begin a new line.
public struct Logger: Sendable {
    /// Lines below this level are not written.
    public var level: LogLevel
    /// Most bytes of a message or a text value that are written.
    public let fieldBound: Int
    private let format: LogFormat
    private let sink: LogSink
    private var fields: [(name: String, value: LogValue)] = []

    /// - Parameters:
    ///   - format: by default for people at a terminal and for machines elsewhere.
    ///   - fieldBound: bytes of one value.
    public init(
        level: LogLevel = .info, format: LogFormat = .automatic, sink: LogSink = .standardError, fieldBound: Int = 1024
    ) {
        self.level = level
        self.format = format
        self.sink = sink
        self.fieldBound = fieldBound
    }

    /// Writes nothing; for tests and for libraries that were given no logger.
    public static let silent = Logger(level: .error, format: .json, sink: .nowhere)

    /// A logger whose lines also carry `added`. A name given again replaces the earlier value.
    public func with(_ added: KeyValuePairs<String, LogValue>) -> Logger {
        var child = self
        for (name, value) in added {
            child.fields.removeAll { $0.name == name }
            child.fields.append((name, value))
        }
        return child
    }

    /// Writes a line, when `level` is high enough; the arguments are not evaluated otherwise.
    public func log(
        _ level: LogLevel, _ message: @autoclosure () -> String, _ extra: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        guard level >= self.level else { return }
        var line = LogLineWriter(format: format, bound: fieldBound)
        line.begin(time: LogTime.now(), level: level, message: message())
        for (name, value) in fields { line.field(name, value) }
        for (name, value) in extra() { line.field(name, value) }
        line.end()
        sink.write(line.bytes)
    }

    /// `log(.trace, …)`.
    public func trace(_ message: @autoclosure () -> String, _ extra: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]) {
        log(.trace, message(), extra())
    }
    /// `log(.debug, …)`.
    public func debug(_ message: @autoclosure () -> String, _ extra: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]) {
        log(.debug, message(), extra())
    }
    /// `log(.info, …)`.
    public func info(_ message: @autoclosure () -> String, _ extra: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]) {
        log(.info, message(), extra())
    }
    /// `log(.warning, …)`.
    public func warning(_ message: @autoclosure () -> String, _ extra: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]) {
        log(.warning, message(), extra())
    }
    /// `log(.error, …)`.
    public func error(_ message: @autoclosure () -> String, _ extra: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]) {
        log(.error, message(), extra())
    }
}
