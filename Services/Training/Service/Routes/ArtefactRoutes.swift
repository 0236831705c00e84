internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// Files of adapters, checkpoints and attribution rows, by their hash.
struct ArtefactRoutes: Sendable {
    let artefacts: ArtefactStore
    let maker: DecisionMaker<TrainingState>
    let joining: RunnerJoining

    var routes: [Route] { [put, get, attribution] }

    private static let digest: Schema = .text(.sha256)

    private var put: Route {
        Route(
            .put, "/v1/adapters/artefacts/{digest}", operation: "putArtefact", summary: "Keeps a file, or the manifest of an artefact.",
            access: .authenticated, path: ["digest": Self.digest],
            body: .stream(["application/octet-stream", "application/json"], limit: ArtefactStore.largest),
            replies: [.empty(204, "It is kept.")], problems: [TrainingProblems.wrongHash, .forbidden]
        ) { [artefacts, joining] context in
            _ = try await joining.admit(context)
            guard let digest = Digest(prefixed: context.path["digest"]) else { throw TrainingError.notFound(context.path["digest"]) }
            try await artefacts.put(digest, context.stream, by: try context.caller.subject)
            return .noContent
        }
    }

    private var get: Route {
        Route(
            .get, "/v1/adapters/artefacts/{digest}", operation: "getArtefact", summary: "The bytes of a file or manifest.",
            access: .authenticated, path: ["digest": Self.digest],
            replies: [.content(200, "The bytes.", type: "application/octet-stream")], problems: [.notFound, .forbidden]
        ) { [artefacts] context in
            guard let digest = Digest(prefixed: context.path["digest"]) else { throw TrainingError.notFound(context.path["digest"]) }
            if try !context.caller.has("artefacts:read") { try await admit(context, to: digest) }
            let bytes = try await artefacts.bytes(digest)
            return Response(
                headers: ["Content-Type": "application/octet-stream"],
                body: .stream { writer in for try await piece in bytes { try await writer.write(piece) } })
        }
    }

    private var attribution: Route {
        Route(
            .get, "/v1/adapters/artefacts/{digest}/attribution", operation: "getArtefactAttribution",
            summary: "The attribution rows of the job that made an adapter, with the factors by which its answers get theirs.",
            access: .scope("artefacts:read"), path: ["digest": Self.digest],
            replies: [.json(200, "Whose they are.", .object(.required("job", .text), .required("rows", .text(.sha256))))],
            problems: [.notFound]
        ) { [maker] context in
            guard let digest = Digest(prefixed: context.path["digest"]) else { throw TrainingError.notFound(context.path["digest"]) }
            let job = try await maker.find { state in
                state.jobs.values.first { $0.completed?.adapter == digest && $0.completed?.rows != nil }
            }
            guard let job, let rows = job.completed?.rows else { throw TrainingError.notFound("attribution rows of \(digest)") }
            return .json(["job": .string(job.request.job), "rows": .digest(rows)])
        }
    }

    /// Lets others' runners read the checkpoint that they are to go on from, and nothing else: one of the house's own, or what they brought
    /// themselves, whatever a checkpoint names.
    private func admit(_ context: RequestContext, to digest: Digest) async throws {
        let subject = try context.caller.subject
        let jobs = try await maker.query { state -> [(checkpoint: Digest, isHouses: Bool)] in
            guard state.runners.registered[subject] != nil else { return [] }
            return state.open.compactMap { state.jobs[$0] }.filter { $0.status == .running && $0.runner == subject }.compactMap { job in
                job.checkpoint.map { ($0.checkpoint, job.checkpointRunner.map { state.runners.registered[$0] == nil } ?? false) }
            }
        }
        for (checkpoint, isHouses) in jobs {
            if checkpoint != digest {
                guard try await artefacts.files(of: checkpoint).contains(digest) else { continue }
            }
            if isHouses { return }
            if try await artefacts.isFrom(subject, digest) { return }
        }
        throw TrainingError.forbidden(
            "artefacts are read with the scope artefacts:read, and a job's checkpoint by the runner that works on it")
    }
}
