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
        guard let event = try await event(of: id) else { return nil }
        let header = try EventHeader(trusted: event.bytes)
        guard header.type == InferenceCompleted.type else { return nil }
        return try InferenceCompleted(JSON.parse(Array(event.bytes[header.data])).object())
    }

    /// Where an answer stands that is on the log, whichever of the gateway's rules has put it there.
    func position(of id: String) async throws -> UInt64 {
        guard let event = try await event(of: id) else { throw GatewayError.notFound("inference \(id)") }
        return event.position
    }

    private func event(of id: String) async throws -> LoggedEvent? {
        guard let stream = StreamName(kind: "inference", id: id) else { return nil }
        return try await log.read(stream: stream, from: 0, limit: 1).first
    }
}
