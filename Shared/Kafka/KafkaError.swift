/// What went wrong with a Kafka call.
public struct KafkaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened, in a form to switch over.
    public var code: Code
    /// The code's name: librdkafka's or the broker's, such as `_MSG_TIMED_OUT`.
    public var name: String
    /// Which property, topic or broker it was, and what can be done.
    public var text: String
    /// The client is of no more use: close it and make another.
    public var isFatal: Bool
    /// The same call may succeed later.
    public var isRetryable: Bool

    init(_ code: Code, name: String, text: String, isFatal: Bool = false, isRetryable: Bool? = nil) {
        self.code = code
        self.name = name
        self.text = text
        self.isFatal = isFatal
        self.isRetryable = isRetryable ?? (!isFatal && Code.retryable.contains(code))
    }

    /// `name: text`
    public var description: String { "\(name): \(text)\(isFatal ? " (fatal: make a new client)" : "")" }

    static func closed(_ what: String) -> KafkaError {
        KafkaError(.closed, name: "CLOSED", text: "the \(what) is closed")
    }

    static func property(_ code: Code, _ name: String, _ text: String) -> KafkaError {
        KafkaError(code, name: "CONFIGURATION", text: "property \(name): \(text)")
    }

    static func misuse(_ text: String) -> KafkaError { KafkaError(.misuse, name: "MISUSE", text: text) }
}

extension Duration {
    /// Rounded up and kept within what librdkafka takes.
    var wholeMilliseconds: Int32 {
        let milliseconds = (self / .milliseconds(1)).rounded(.up)
        return milliseconds <= 0 ? 0 : Int32(min(milliseconds, 2_000_000_000))
    }
}
