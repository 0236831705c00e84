internal import Blobs
internal import Crypto
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// What a job made, for whose it is: a folder as PEFT has it, which any other program loads.
struct AdapterRoutes: Sendable {
    let views: JobViews
    let artefacts: ArtefactStore

    var routes: [Route] { [list, file] }

    private var list: Route {
        Route(
            .get, "/v1/training-jobs/{job}/adapter", operation: "listAdapterFiles", summary: "The files of the adapter that a job made.",
            access: .authenticated,
            replies: [
                .json(
                    200, "Files with their bytes and hashes.",
                    .object(
                        .required("adapter", .text(.sha256), "SHA-256 of the manifest, which has these files in this order."),
                        .required(
                            "files",
                            .list(
                                .object(
                                    .required("path", .text), .required("bytes", .count), .required("sha256", .text(.sha256))),
                                atMost: 64))))
            ], problems: [.notFound]
        ) { context in
            let adapter = try await adapter(context)
            let files = try await artefacts.listing(of: adapter).map { file -> JSONValue in
                ["path": .string(file.path), "bytes": .count(file.bytes), "sha256": .digest(file.digest)]
            }
            return .json(["adapter": .digest(adapter), "files": .array(files)])
        }
    }

    private var file: Route {
        Route(
            .get, "/v1/training-jobs/{job}/adapter/{file}", operation: "readAdapterFile", summary: "A file of the adapter that a job made.",
            access: .authenticated, replies: [.content(200, "The bytes.", type: "application/octet-stream")], problems: [.notFound]
        ) { context in
            let name = context.path["file"]
            guard let file = try await artefacts.listing(of: try await adapter(context)).first(where: { $0.path == name }) else {
                throw TrainingError.notFound("file \(name) in the adapter")
            }
            let bytes = try await artefacts.bytes(file.digest)
            return Response(
                headers: ["Content-Type": "application/octet-stream"],
                body: .stream { writer in for try await piece in bytes { try await writer.write(piece) } })
        }
    }

    private func adapter(_ context: RequestContext) async throws -> Digest {
        let id = context.path["job"]
        guard let made = try await views.owned(id, by: try context.caller).completed else {
            throw TrainingError.notFound("adapter of job \(id) yet")
        }
        return made.adapter
    }
}
