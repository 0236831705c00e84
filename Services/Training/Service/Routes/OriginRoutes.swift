internal import Blobs
internal import Decisions
internal import Events
internal import HTTP
internal import JSON
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// What models were made from: for the public, rightsholders and authorities.
struct OriginRoutes: Sendable {
    let maker: DecisionMaker<TrainingState>
    let peers: Peers
    let evidence: EvidenceStore

    var routes: [Route] { [summary, licences, card] }

    private static let version = QueryParameter("version", .integer(1...1_000_000), "The newest when left out.")

    private var summary: Route {
        Route(
            .get, "/v1/adapters/{owner}/{name}/training-summary", operation: "trainingSummary",
            summary: "The summary of training content of Regulation (EU) 2024/1689, Article 53(1)(d), as far as the log goes.",
            access: .public,
            query: [Self.version],
            replies: [
                .json(
                    200, "By the sections of the Commission's template.",
                    .openObject(
                        .required("template", .text), .required("scope", .text), .required("general", .openObject()),
                        .required("sources", .openObject()), .required("processing", .openObject()),
                        .required("missing", .list(.text, atMost: 100), "What the template asks for and the log does not know.")))
            ], problems: [.notFound, .unavailable]
        ) { context in .json(TrainingSummary(try await origin(context)).json) }
    }

    private var licences: Route {
        Route(
            .get, "/v1/adapters/{owner}/{name}/licences", operation: "modelLicences",
            summary: "The licence report of a model: its base's licence, and those of all that it learned from.", access: .public,
            query: [Self.version],
            replies: [
                .json(
                    200, "The report.",
                    .openObject(
                        .required("model", .text), .required("version", .count), .required("base", .openObject()),
                        .required("licences", .list(.openObject(), atMost: 1_000_000)),
                        .required("snapshots", .list(.openObject(), atMost: 1_000))))
            ], problems: [.notFound, .unavailable]
        ) { context in .json(LicenceReport(try await origin(context)).json) }
    }

    private var card: Route {
        Route(
            .get, "/v1/adapters/{owner}/{name}/card", operation: "modelCard",
            summary: "The model's card in Markdown, made from what the log says: base, data, licences, training, evaluation, terms.",
            access: .public, query: [Self.version], replies: [.content(200, "Markdown.", type: "text/markdown")],
            problems: [.notFound, .unavailable]
        ) { [evidence] context in
            let origin = try await origin(context)
            var record: JSONValue?
            if let digest = origin.job?.completed?.record { record = try await evidence.value(digest) }
            return Response(
                headers: ["Content-Type": "text/markdown; charset=utf-8"], body: .bytes(Array(ModelCard(origin, record: record).text.utf8)))
        }
    }

    private func origin(_ context: RequestContext) async throws -> ModelOrigin {
        let name = context.path["owner"] + "/" + context.path["name"]
        let number = context.query.integer("version")
        let (model, base, job) = try await maker.query { state in
            guard let versions = state.models[name], let last = versions.last else { throw TrainingError.notFound("model \(name)") }
            if let number, number > versions.count { throw TrainingError.notFound("version \(number) of \(name)") }
            let model = number.map { versions[$0 - 1] } ?? last
            return (model, state.bases[model.terms.base], model.terms.job.flatMap { state.jobs[$0] })
        }
        var sources: [ModelOrigin.Source] = []
        for snapshot in model.terms.snapshots {
            do {
                let report = try await peers.call("GET", .datanet, "/v1/snapshots/\(snapshot.snapshot)/licences")
                sources.append(ModelOrigin.Source(snapshot: snapshot, report: report))
            } catch let error as PeerError {
                throw Problem(
                    .unavailable, "the Datanets could not be asked for \(snapshot.snapshot): \(error)", headers: ["Retry-After": "5"])
            }
        }
        return ModelOrigin(model: model, base: base, job: job, sources: sources)
    }
}
