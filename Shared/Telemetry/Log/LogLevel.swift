/// How much a log line matters.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    /// Steps of one computation; off but for hunting a defect.
    case trace
    /// What a developer wants to see of each request.
    case debug
    /// What an operator wants to see on a normal day.
    case info
    /// Something is wrong and was got over.
    case warning
    /// Something is wrong and somebody must look.
    case error

    /// The lower-case name, as written in log lines and read from configuration.
    public var name: String {
        switch self {
        case .trace: "trace"
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }

    /// The level of that lower-case name.
    public init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    /// Orders by importance: `trace` is least.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}
