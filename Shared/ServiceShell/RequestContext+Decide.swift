public import Decisions
internal import EventLog
internal import HTTP
internal import Events
internal import Identity
internal import Telemetry
public import Web

extension RequestContext {
    /// Decides the request's command: its Idempotency-Key makes the cause, the caller is the actor, the trace is the correlation.
    /// - Throws: `Problem` 400 without a key, `DecisionError`, or what the rule throws.
    public func decide<State>(_ maker: DecisionMaker<State>, _ rule: @escaping DecisionMaker<State>.Rule) async throws -> Outcome {
        let command = try requiredCommand
        return try await maker.decide(
            .command(id: command.id, digest: command.digest), actor: try caller.subject, correlation: trace.traceID, rule)
    }
}

extension DecisionError: ProblemConvertible {
    /// Codes that every deciding route may answer with.
    public static let problemTypes = [
        ProblemType.keyReused, ProblemType("stopped", 503, "The service has stopped at an event"),
        ProblemType("busy", 503, "Too much is going on"), ProblemType("log-unavailable", 503, "The log is not available"),
    ]

    /// The answer it becomes.
    public var problem: Problem {
        switch self {
        case .conflict(let conflict):
            Problem(
                .keyReused, "this Idempotency-Key was used at position \(conflict.position) of the log with another body",
                field: "Idempotency-Key")
        case .stopped: Problem(Self.problemTypes[1], description, headers: ["Retry-After": "30"])
        case .busy: Problem(Self.problemTypes[2], description, headers: ["Retry-After": "1"])
        case .unavailable: Problem(Self.problemTypes[3], description, headers: ["Retry-After": "1"])
        case .malformed: Problem(.internal, "the service could not put this on the log")
        }
    }
}

extension DecisionMaker {
    /// For `/readyz`: whether it decides, and on a state that has once come as far as the log went.
    public nonisolated var readiness: ReadinessCheck {
        ReadinessCheck("decisions") { await self.notReady.map { .notReady($0) } ?? .ready }
    }
}
