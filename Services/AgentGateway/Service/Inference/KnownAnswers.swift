internal import AgentGatewayDomain
internal import Decisions
internal import EventLog
internal import Events
internal import JSON

/// The answers that were given: the last ones as they are remembered, older ones as the log has them.
struct KnownAnswers: Sendable {
    let maker: DecisionMaker<GatewayState>
    let log: any LogClient

    /// An answer by its inference's id; nil where there is none.
    func find(_ id: String) async throws -> InferenceCompleted? {
        if let recent = try await maker.query({ $0.answers[id] }) { return recent }
        guard let stream = StreamName(kind: "inference", id: id),
            let event = try await log.read(stream: stream, from: 0, limit: 1).first
        else { return nil }
        let header = try EventHeader(trusted: event.bytes)
        guard header.type == InferenceCompleted.type else { return nil }
        return try InferenceCompleted(JSON.parse(Array(event.bytes[header.data])).object())
    }
}
