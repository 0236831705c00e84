internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Web

/// OpenAI's files: what a fine-tuning learns from.
struct FileRoutes: Sendable {
    let shelf: FileShelf
    let clock: @Sendable () -> Timestamp

    var routes: [Route] { [create, list, show, content, delete] }

    private static let access = Access.scope("jobs:write")
    private static let noFile = ProblemType("file-not-found", 404, "There is no such file")
    private static let problems = [noFile, .forbidden]

    private var create: Route {
        Route(
            .post, "/v1/files", operation: "createFile", summary: "Keeps a file, sealed under a key of the caller's.", access: Self.access,
            body: .bytes(["multipart/form-data"], limit: FileShelf.largest + (64 << 10)), replies: [.json(200, "The file.", .any)],
            problems: Self.problems, errors: .openAI
        ) { [shelf, clock] context in
            let form = try MultipartForm(context.bytes, type: context.request.headers["Content-Type"] ?? "")
            guard let file = form.file("file") else { throw Problem(.badBody, "file is missing", field: "#/file") }
            guard let purpose = form.text("purpose") else { throw Problem(.badBody, "purpose is missing", field: "#/purpose") }
            guard purpose == "fine-tune" else { throw Problem(.badBody, "purpose must be fine-tune", field: "#/purpose") }
            guard !file.bytes.isEmpty else { throw Problem(.badBody, "the file is empty", field: "#/file") }
            guard file.bytes.count <= FileShelf.largest else {
                throw Problem(.bodyTooLarge, "a file has at most \(FileShelf.largest) bytes", field: "#/file")
            }
            let name = String((file.filename ?? "").prefix(200))
            let kept = try await shelf.put(
                Array(file.bytes), name: name.isEmpty ? "file" : name, purpose: purpose, owner: try context.caller.subject,
                at: clock().microseconds / 1_000_000)
            return .json(Self.view(kept))
        }
    }

    private var list: Route {
        Route(
            .get, "/v1/files", operation: "listFiles", summary: "The caller's files, newest first.", access: Self.access,
            query: OpenAIPage.parameters + [QueryParameter("purpose", .text(1...40), "Only files for this.")],
            replies: [.json(200, "Files.", .any)], errors: .openAI
        ) { [shelf] context in
            let purpose = context.query.string("purpose")
            let files = try await shelf.files(of: try context.caller.subject).filter { purpose == nil || $0.purpose == purpose }
            return OpenAIPage.response(files, context, id: \.id, view: Self.view)
        }
    }

    private var show: Route {
        Route(
            .get, "/v1/files/{file}", operation: "retrieveFile", summary: "One file.", access: Self.access,
            replies: [.json(200, "The file.", .any)], problems: Self.problems, errors: .openAI
        ) { context in .json(Self.view(try await find(context))) }
    }

    private var content: Route {
        Route(
            .get, "/v1/files/{file}/content", operation: "downloadFile", summary: "What a file holds.", access: Self.access,
            replies: [.content(200, "The bytes.", type: "application/octet-stream")], problems: Self.problems, errors: .openAI
        ) { [shelf] context in
            let bytes = try await shelf.content(of: try await find(context))
            return Response(headers: ["Content-Type": "application/octet-stream"], body: .bytes(bytes))
        }
    }

    private var delete: Route {
        Route(
            .delete, "/v1/files/{file}", operation: "deleteFile", summary: "Takes a file away.", access: Self.access,
            replies: [.json(200, "It is gone.", .any)], problems: Self.problems, errors: .openAI
        ) { [shelf] context in
            let file = try await find(context)
            try await shelf.remove(file)
            return .json(["id": .string(file.id), "object": "file", "deleted": true])
        }
    }

    private func find(_ context: RequestContext) async throws -> FileShelf.File {
        let id = context.path["file"]
        guard let file = try await shelf.file(id, of: try context.caller.subject) else {
            throw Problem(Self.noFile, "there is no file \(id)", field: "file")
        }
        return file
    }

    private static func view(_ file: FileShelf.File) -> JSONValue {
        [
            "id": .string(file.id), "object": "file", "bytes": .count(file.bytes), "created_at": .int(file.created),
            "filename": .string(file.name), "purpose": .string(file.purpose), "status": "processed",
        ]
    }
}
