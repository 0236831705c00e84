internal import Blobs
internal import Crypto
internal import HTTP
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// Files of adapters, checkpoints and attribution rows, by their hash.
struct ArtefactRoutes: Sendable {
    let artefacts: ArtefactStore

    var routes: [Route] { [put, get] }

    private static let digest: Schema = .text(.sha256)

    private var put: Route {
        Route(
            .put, "/v1/adapters/artefacts/{digest}", operation: "putArtefact", summary: "Keeps a file, or the manifest of an artefact.",
            access: .scope("runners:work"), path: ["digest": Self.digest],
            body: .bytes(["application/octet-stream", "application/json"], limit: ArtefactStore.largest),
            replies: [.empty(204, "It is kept.")], problems: [TrainingProblems.wrongHash]
        ) { [artefacts] context in
            guard let digest = Digest(prefixed: context.path["digest"]) else { throw TrainingError.notFound(context.path["digest"]) }
            try await artefacts.put(digest, context.bytes)
            return .noContent
        }
    }

    private var get: Route {
        Route(
            .get, "/v1/adapters/artefacts/{digest}", operation: "getArtefact", summary: "The bytes of a file or manifest.",
            access: .scope("artefacts:read"), path: ["digest": Self.digest],
            replies: [.content(200, "The bytes.", type: "application/octet-stream")], problems: [.notFound]
        ) { [artefacts] context in
            guard let digest = Digest(prefixed: context.path["digest"]) else { throw TrainingError.notFound(context.path["digest"]) }
            let bytes = try await artefacts.bytes(digest)
            return Response(
                headers: ["Content-Type": "application/octet-stream"],
                body: .stream { writer in for try await piece in bytes { try await writer.write(piece) } })
        }
    }
}
