internal import AgentGatewayDomain
internal import Decisions
internal import Telemetry

/// Does what must be done for an answer that was given, again and again within one bound of time, whatever is away for a moment.
struct Insistence: Sendable {
    let inference: String
    let logger: Logger
    private let end = ContinuousClock.now + InferenceBounds.recording

    init(inference: String, logger: Logger) {
        self.inference = inference
        self.logger = logger
    }

    /// Any fault may pass.
    static let always: @Sendable (any Error) -> Bool = { !($0 is CancellationError) }

    /// A log that is away, or busy, comes back; a rule's refusal stands.
    static let ofTheLog: @Sendable (any Error) -> Bool = { error in
        switch error as? DecisionError {
        case .busy, .unavailable: true
        default: false
        }
    }

    /// - Parameters:
    ///   - what: the warning when it has to be tried again.
    ///   - mayPass: whether another try can do better.
    func run<Value: Sendable>(
        _ what: String, _ mayPass: (any Error) -> Bool, _ work: () async throws -> Value
    ) async throws -> Value {
        var pause = Duration.milliseconds(50)
        while true {
            do { return try await work() } catch {
                guard mayPass(error), ContinuousClock.now + pause < end else { throw error }
                logger.warning(what, ["inference": .string(inference), "error": .string("\(error)")])
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(10))
            }
        }
    }
}
