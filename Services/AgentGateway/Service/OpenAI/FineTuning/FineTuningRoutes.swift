internal import AgentGatewayDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import ServiceShell
internal import Web

/// OpenAI's fine-tuning jobs, in front of Datanets and training: a training file becomes a contribution to a Datanet of the caller's own.
struct FineTuningRoutes: Sendable {
    let desk: FineTuningDesk
    let shelf: FileShelf
    let maker: DecisionMaker<GatewayState>
    let clock: @Sendable () -> Timestamp

    var routes: [Route] { [create, list, show, events, checkpoints, cancel, pause, resume] }

    private static let access = Access.scope("jobs:write")
    private static let noJob = ProblemType("job-not-found", 404, "There is no such job")
    private static let problems = [
        noJob, TrainingFile.type, OpenAIProblems.unknownModel, OpenAIProblems.rateLimit, .forbidden, .conflict, .unavailable,
    ]
    /// What steps need, beyond the scope of the route.
    private static let forFiles: Set<String> = ["datanets:write", "datanets:read", "contributions:write", "contributions:read"]
    private static let forAll: Set<String> = ["jobs:write", "models:write"]

    private var create: Route {
        Route(
            .post, "/v1/fine_tuning/jobs", operation: "createFineTuningJob",
            summary: "Fine-tunes a base model on an uploaded file, or on a published snapshot named as dn_…@number.", access: Self.access,
            body: .json(.openObject(.required("model", .text), .required("training_file", .text(1...200)))),
            replies: [.json(200, "The job.", .any)], problems: Self.problems, errors: .openAI
        ) { [desk, shelf, maker, clock] context in
            let caller = try context.caller
            let request = try context.decode { try FineTuningRequest($0) }
            let snapshot = FineTuningRequest.snapshot(request.trainingFile)
            let needed = Self.forAll.union(snapshot == nil ? Self.forFiles : [])
            let missing = needed.subtracting(caller.scopes).sorted()
            guard missing.isEmpty else {
                throw Problem(.forbidden, "a fine-tuning needs the scopes \(missing.joined(separator: ", ")) too")
            }
            let base =
                try await maker.query { state in
                    // Another's private model is none, here as everywhere.
                    state.model(asked: request.model).flatMap { state.mayAsk($0, caller.subject) ? $0.base : nil }
                } ?? request.model
            let bases = try await desk.bases()
            guard bases.contains(base) else {
                throw Problem(
                    OpenAIProblems.unknownModel,
                    "there is no base model \(request.model); there are \(bases.joined(separator: ", "))", field: "#/model")
            }
            let now = clock().microseconds / 1_000_000
            var job = FineTuningJob(
                id: "ftjob-" + Hex.encode(Random.bytes(12)), owner: caller.subject, kind: caller.kind.rawValue, scopes: needed.sorted(),
                created: now, base: base, trainingFile: request.trainingFile, suffix: request.suffix, settings: request.settings,
                metadata: request.metadata, stage: snapshot == nil ? .datanet : .request, datanet: snapshot?.datanet,
                snapshot: snapshot?.number)
            if snapshot == nil {
                guard let file = try await shelf.file(request.trainingFile, of: caller.subject) else {
                    throw Problem(TrainingFile.type, "there is no file \(request.trainingFile)", field: "#/training_file")
                }
                let (count, _) = try TrainingFile.rows(try await shelf.content(of: file))
                job.note("The training file has \(count) examples.", at: now)
            }
            try await desk.begin(job)
            return .json(job.view(.waiting))
        }
    }

    private var list: Route {
        Route(
            .get, "/v1/fine_tuning/jobs", operation: "listFineTuningJobs", summary: "The caller's jobs, newest first.", access: Self.access,
            query: OpenAIPage.parameters, replies: [.json(200, "Jobs.", .any)], errors: .openAI
        ) { [desk] context in
            let jobs = try await desk.jobs(of: try context.caller.subject)
            return OpenAIPage.response(jobs, context, id: { $0.0.id }, view: { $0.0.view($0.1) })
        }
    }

    private var show: Route {
        Route(
            .get, "/v1/fine_tuning/jobs/{job}", operation: "retrieveFineTuningJob", summary: "One job.", access: Self.access,
            replies: [.json(200, "The job.", .any)], problems: Self.problems, errors: .openAI
        ) { context in
            let (job, activity) = try await find(context)
            return .json(job.view(activity))
        }
    }

    private var events: Route {
        Route(
            .get, "/v1/fine_tuning/jobs/{job}/events", operation: "listFineTuningEvents", summary: "What happened to a job, newest first.",
            access: Self.access, query: OpenAIPage.parameters, replies: [.json(200, "Events.", .any)], problems: Self.problems,
            errors: .openAI
        ) { context in
            let (job, _) = try await find(context)
            return OpenAIPage.response(Array(job.notes.reversed()), context, id: { Self.id($0, job) }) { note in
                [
                    "id": .string(Self.id(note, job)), "object": "fine_tuning.job.event", "created_at": .int(note.time),
                    "level": .string(note.level), "message": .string(note.message), "type": note.figures == nil ? "message" : "metrics",
                    "data": note.figures ?? .null,
                ]
            }
        }
    }

    private static func id(_ note: FineTuningJob.Note, _ job: FineTuningJob) -> String { "ftevent-\(job.id.dropFirst(6))-\(note.number)" }

    private var checkpoints: Route {
        Route(
            .get, "/v1/fine_tuning/jobs/{job}/checkpoints", operation: "listFineTuningCheckpoints",
            summary: "Checkpoints that can be asked: none, since only whole adapters are published.", access: Self.access,
            query: OpenAIPage.parameters, replies: [.json(200, "No checkpoints.", .any)], problems: Self.problems, errors: .openAI
        ) { context in
            _ = try await find(context)
            return OpenAIPage.response([String](), context, id: { $0 }, view: { .string($0) })
        }
    }

    private var cancel: Route {
        Route(
            .post, "/v1/fine_tuning/jobs/{job}/cancel", operation: "cancelFineTuningJob", summary: "Stops a job.", access: Self.access,
            replies: [.json(200, "The job.", .any)], problems: Self.problems, errors: .openAI
        ) { [desk] context in
            let id = context.path["job"]
            guard let job = try await desk.cancel(id, of: try context.caller.subject) else {
                throw Problem(Self.noJob, "there is no job \(id)", field: "job")
            }
            return .json(job.view(.waiting))
        }
    }

    private var pause: Route { control(.pause, "pauseFineTuningJob", "Halts a job that trains; its runner leaves a checkpoint.") }
    private var resume: Route { control(.resume, "resumeFineTuningJob", "Lets a halted job go on from its checkpoint.") }

    private func control(_ verb: FineTuningDesk.Control, _ operation: String, _ summary: String) -> Route {
        Route(
            .post, "/v1/fine_tuning/jobs/{job}/\(verb.rawValue)", operation: operation, summary: summary, access: Self.access,
            replies: [.json(200, "The job.", .any)], problems: Self.problems, errors: .openAI
        ) { [desk] context in
            let id = context.path["job"]
            guard let (job, activity) = try await desk.control(id, of: try context.caller.subject, verb) else {
                throw Problem(Self.noJob, "there is no job \(id)", field: "job")
            }
            return .json(job.view(activity))
        }
    }

    private func find(_ context: RequestContext) async throws -> (FineTuningJob, FineTuningJob.Activity) {
        let id = context.path["job"]
        guard let found = try await desk.job(id, of: try context.caller.subject) else {
            throw Problem(Self.noJob, "there is no job \(id)", field: "job")
        }
        return found
    }
}
