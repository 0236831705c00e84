public import Crypto
public import Decisions
internal import Events

/// An item that a job learned from and that was taken back since.
public struct TakenBackItem: Sendable, Hashable {
    /// The Datanet.
    public let datanet: String
    /// The item.
    public let item: String

    /// From its parts.
    public init(datanet: String, item: String) {
        self.datanet = datanet
        self.item = item
    }
}

extension TrainingRules {
    /// Orders a job once more, with the same base, snapshots and settings, without what was taken back since.
    /// - Parameters:
    ///   - request: the new job; its base, snapshots and settings are the old one's.
    ///   - without: evidence of what is left out.
    ///   - leftOut: how many tokens that is, which nobody pays for.
    public static func retrain(_ id: String, _ request: Request, without: Digest, leftOut: Int) -> DecisionMaker<TrainingState>.Rule {
        { state, context in
            let job = try job(id, state)
            guard state.owner(of: job) == request.owner else { throw TrainingError.notFound("job \(id)") }
            guard job.completed != nil else { throw TrainingError.wrongState("job \(id) is \(job.status.rawValue)") }
            guard state.replacement(of: id) == nil else {
                throw TrainingError.wrongState("job \(id) is being repeated already, as \(state.replacement(of: id) ?? "")")
            }
            let quote = try quote(request, state, at: context.logTime, leftOut: leftOut)
            let new = context.newID("job")
            return [
                NewEvent(
                    JobRequested(
                        job: new, owner: request.owner, base: job.request.base, snapshots: job.request.snapshots,
                        settings: job.request.settings, fee: quote.fee, hold: request.hold, replaces: id, without: without,
                        needs: request.settings.needs),
                    stream: try stream("job", new))
            ]
        }
    }
}

extension TrainingState {
    /// The job that repeats another, unless it came to nothing.
    public func replacement(of id: String) -> String? {
        replacements[id]?.last { jobs[$0].map { $0.status != .failed && $0.status != .cancelled } ?? false }
    }
}
