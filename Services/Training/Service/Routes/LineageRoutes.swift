internal import Blobs
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// Jobs in the words of other systems: runs for OpenLineage, manifests for Kubernetes.
struct LineageRoutes: Sendable {
    let maker: DecisionMaker<TrainingState>
    let views: JobViews
    let evidence: EvidenceStore

    var routes: [Route] { [lineage, manifest] }

    private static let address: Schema = .text(1...400)

    private var lineage: Route {
        Route(
            .get, "/v1/training-jobs/{job}/lineage", operation: "jobLineage",
            summary: "The job's run as OpenLineage 2-0-2 tells it: START, and COMPLETE, FAIL or ABORT, with inputs and outputs.",
            access: .authenticated,
            query: [QueryParameter("namespace", Self.address, "Names this house in the events; its paths' beginning, usually.")],
            replies: [.json(200, "Run events, oldest first.", .list(.openObject(), atMost: 2))], problems: [.notFound]
        ) { [maker, views] context in
            let job = try await views.replayable(context.path["job"], for: try context.caller)
            let base = try await maker.query { $0.bases[job.request.base] }
            let producer = context.query.string("namespace") ?? "https://openledger.invalid/v1"
            return .json(.array(OpenLineage.events(of: job, base: base, producer: producer)))
        }
    }

    private var manifest: Route {
        Route(
            .get, "/v1/training-jobs/{job}/manifest", operation: "jobManifest",
            summary: "A Kubernetes Job that runs a runner for it, for a queue of Kueue where one is named.", access: .authenticated,
            query: [
                QueryParameter("image", Self.address, "The runner's image.", required: true),
                QueryParameter("url", Self.address, "Where training answers, as the cluster sees it.", required: true),
                QueryParameter("queue", .text(1...63), "Kueue's local queue."), QueryParameter("gpus", .integer(0...8), "0 when left out."),
            ], replies: [.json(200, "For kubectl create -f.", .openObject(.required("kind", .text)))], problems: [.notFound]
        ) { [maker, views, evidence] context in
            let job = try await views.job(context.path["job"], for: try context.caller)
            let parameters = try await maker.query { $0.bases[job.request.base]?.parameters ?? 0 }
            let settings = try TrainingSettings(try await evidence.value(job.request.settings).object())
            return .json(
                ClusterManifest(
                    job: job.request.job, base: job.request.base, image: context.query.string("image") ?? "",
                    queue: context.query.string("queue"), url: context.query.string("url") ?? "", gpus: context.query.integer("gpus") ?? 0,
                    memory: ClusterManifest.memory(parameters: parameters, settings: settings)
                ).json)
        }
    }
}
