internal import Decisions
internal import Identity
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// What the owner of a job may do while it waits or runs.
struct JobControlRoutes: Sendable {
    let maker: DecisionMaker<TrainingState>
    let views: JobViews

    var routes: [Route] { [cancel, pause, resume] }

    private var cancel: Route { route("cancel", "Stops a job.", TrainingRules.cancel) }
    private var pause: Route { route("pause", "Halts a job; its runner leaves a checkpoint.", TrainingRules.pause) }
    private var resume: Route { route("resume", "Lets a halted job go on from its checkpoint.", TrainingRules.resume) }

    private func route(
        _ verb: String, _ summary: String, _ rule: @escaping @Sendable (String, String) -> DecisionMaker<TrainingState>.Rule
    ) -> Route {
        Route(
            .post, "/v1/training-jobs/{job}/\(verb)", operation: "\(verb)TrainingJob", summary: summary, access: .scope("jobs:write"),
            idempotency: .required, replies: [.json(200, "The job.", .any)], problems: TrainingProblems.all + DecisionError.problemTypes
        ) { [maker, views] context in
            let caller = try context.caller
            _ = try await context.decide(maker, rule(context.path["job"], caller.subject))
            return .json(try await views.view(context.path["job"], for: caller))
        }
    }
}
