internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import IngestDomain
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Web

/// Bringing a contribution: the signed manifest, the files, the end.
extension IngestRoutes {
    var uploadRoutes: [Route] { [create, upload, offset, anew, discard, finish] }

    private var create: Route {
        Route(
            .post, "/v1/contributions", operation: "createContribution",
            summary: "Begins a contribution: its manifest, signed by the contributor. The files come next.", access: Self.changing,
            body: .json(
                .object(
                    .required("manifest", .any, "The manifest. Its RFC 8785 form is what is signed."),
                    .required("signature", .text(1...200), "Ed25519 by the manifest's signer, base64url."))),
            idempotency: .required, replies: [.json(201, "The contribution, and where its files go.", Self.contribution)],
            problems: Self.problems
        ) { [self] context in
            let caller = try context.caller
            let command = try context.requiredCommand
            let signed = try context.decode { json in
                let fields = try json.object()
                return try SignedManifest(try fields.field("manifest"), signature: try fields.field("signature"))
            }
            let manifest = signed.manifest
            guard manifest.contributor == caller.subject else {
                throw Problem(.forbidden, "the manifest's contributor is \(manifest.contributor), and you are \(caller.subject)")
            }
            // No event comes of it yet; but only a state that has seen the whole log refuses, so a Datanet that was opened a
            // moment ago is known.
            _ = try await context.decide(core.maker) { state, _ in
                try IngestRules.checkSubmission(
                    state, datanet: manifest.datanet, contributor: manifest.contributor, signer: manifest.signer,
                    supersedes: manifest.supersedes)
                return []
            }
            // A manifest that is signed after everything was erased begins anew, with another key.
            if try await core.keys.receipt(owner: manifest.contributor) != nil {
                _ = try await core.keys.renew(owner: manifest.contributor)
            }
            let id = EntityID.make("ct", cause: .command(id: command.id, digest: command.digest))
            if let settled = try await core.maker.query({ $0.contributions[id] }) {
                guard settled.submitted.manifest == signed.hash else {
                    throw Problem(.keyReused, "this Idempotency-Key began another contribution", field: "Idempotency-Key")
                }
                return .json(Self.json(settled), status: 201, headers: ["Location": "/v1/contributions/\(id)"])
            }
            if try await core.drafts.draft(id) == nil {
                try await core.maker.query { try IngestRules.checkRoom($0, datanet: manifest.datanet) }
            }
            try await core.drafts.create(id, signed)
            guard let draft = try await core.drafts.draft(id) else { throw IngestRefusal.noContribution(id) }
            guard draft.bytes == signed.bytes else {
                throw Problem(.keyReused, "this Idempotency-Key began another contribution", field: "Idempotency-Key")
            }
            return .json(json(draft), status: 201, headers: ["Location": "/v1/contributions/\(id)"])
        }
    }

    private var upload: Route {
        Route(
            .patch, "/v1/contributions/{contribution}/files/{file}", operation: "uploadFile",
            summary:
                "Appends bytes to a file of the manifest, numbered from 0, at the offset that it has; goes on where a broken one ended.",
            access: Self.changing, path: ["contribution": Self.id, "file": .integer(0...Manifest.mostFiles - 1)],
            headers: [(name: "Upload-Offset", summary: "How many bytes the file has so far.")],
            body: .stream(["application/octet-stream", "application/offset+octet-stream"], limit: Manifest.mostBytes),
            replies: [.empty(204, "Taken; Upload-Offset says how many bytes the file has now.")], problems: Self.problems
        ) { [self] context in
            let (draft, file) = try await file(context)
            guard draft.state == .uploading || draft.state == .failed else {
                throw Self.ended(draft.state.rawValue)
            }
            guard let text = context.request.headers["Upload-Offset"], let offset = Int(text), offset >= 0 else {
                throw Problem(.badHeader, "Upload-Offset must be how many bytes the file has so far", field: "Upload-Offset")
            }
            let end = try await Upload(core: core).append(draft, file: file, offset: offset, context.stream)
            return Response(status: 204, headers: ["Upload-Offset": "\(end)"])
        }
    }

    private var offset: Route {
        Route(
            .get, "/v1/contributions/{contribution}/files/{file}", operation: "getUpload", summary: "How much of a file has come.",
            access: .authenticated, path: ["contribution": Self.id, "file": .integer(0...Manifest.mostFiles - 1)],
            replies: [
                .json(
                    200, "The file.",
                    .object(.required("name", .text), .required("bytes", .count), .required("offset", .count, "Bytes that have come.")))
            ], problems: Self.problems
        ) { [self] context in
            let (draft, file) = try await file(context)
            let end = try await Upload(core: core).offset(draft.contribution, file: file)
            let said = draft.manifest.files[file]
            return .json(
                ["name": .string(said.name), "bytes": .int(Int64(said.bytes)), "offset": .int(Int64(end))],
                headers: ["Upload-Offset": "\(end)", "Cache-Control": "no-store"])
        }
    }

    private var anew: Route {
        Route(
            .delete, "/v1/contributions/{contribution}/files/{file}", operation: "discardUpload",
            summary: "Throws away what has come of a file, so that it can be uploaded anew.", access: Self.changing,
            path: ["contribution": Self.id, "file": .integer(0...Manifest.mostFiles - 1)],
            replies: [.empty(204, "The file has no bytes now.")], problems: Self.problems
        ) { [self] context in
            let (draft, file) = try await file(context)
            guard draft.state == .uploading || draft.state == .failed else { throw Self.ended(draft.state.rawValue) }
            try await Upload(core: core).clear(draft, file: file)
            return .noContent
        }
    }

    private var discard: Route {
        Route(
            .delete, "/v1/contributions/{contribution}", operation: "discardContribution",
            summary: "Throws away a contribution that is being uploaded or has failed, with all that has come of it.",
            access: Self.changing, path: ["contribution": Self.id], replies: [.empty(204, "It is gone.")], problems: Self.problems
        ) { [self] context in
            let draft = try await draft(context)
            guard draft.contributor == (try context.caller).subject else { throw IngestRefusal.notYours(draft.contribution) }
            guard draft.state == .uploading || draft.state == .failed else { throw Self.ended(draft.state.rawValue) }
            try await Upload(core: core).clear(draft)
            guard try await core.drafts.discard(draft.contribution) else { throw Self.ended(Draft.State.queued.rawValue) }
            return .noContent
        }
    }

    static func ended(_ state: String) -> Problem { Problem(.conflict, "the upload has ended: the contribution is \(state)") }

    private var finish: Route {
        Route(
            .post, "/v1/contributions/{contribution}/finish", operation: "finishContribution",
            summary: "Ends the upload; screening begins. How it goes on is told by the contribution's progress.", access: Self.changing,
            path: ["contribution": Self.id], idempotency: .required,
            replies: [.json(202, "The contribution waits for screening, or has been screened.", Self.contribution)],
            problems: Self.problems
        ) { [self] context in
            let command = try context.requiredCommand
            if let settled = try await settled(context) {
                guard settled.submitted.contributor == (try context.caller).subject else {
                    throw IngestRefusal.notYours(settled.submitted.contribution)
                }
                // It is on the log: the command that brought it there gets the same again, and no other does.
                guard try await context.decide(core.maker, { _, _ in [] }).isRepeat else { throw Self.ended("done") }
                return .json(Self.json(settled), status: 202)
            }
            let draft = try await draft(context)
            guard draft.contributor == (try context.caller).subject else { throw IngestRefusal.notYours(draft.contribution) }
            if draft.state == .uploading || draft.state == .failed {
                for (index, file) in draft.manifest.files.enumerated() {
                    let end = try await Upload(core: core).offset(draft.contribution, file: index)
                    guard end == file.bytes else {
                        throw Problem(
                            .conflict, "\(file.name) has \(end) of \(file.bytes) bytes: upload the rest first", field: "/files/\(index)")
                    }
                }
                _ = try await core.drafts.queue(
                    draft.contribution, command: command.id, digest: command.digest, correlation: context.trace.traceID)
                core.screener.ring()
            } else if draft.command != command.id {
                throw Problem(.conflict, "the upload was ended by another command")
            } else if draft.digest != command.digest {
                throw Problem(.keyReused, "this Idempotency-Key was used for another request", field: "Idempotency-Key")
            }
            return .json(try await document(draft.contribution), status: 202)
        }
    }

    private func file(_ context: RequestContext) async throws -> (Draft, Int) {
        let draft = try await draft(context)
        let file = try context.path.integer("file", in: 0...Manifest.mostFiles - 1)
        guard file < draft.manifest.files.count else { throw Problem(.notFound, "the manifest has no file \(file)") }
        guard draft.contributor == (try context.caller).subject else { throw IngestRefusal.notYours(draft.contribution) }
        return (draft, file)
    }

    /// A draft as it is shown.
    func json(_ draft: Draft) -> JSONValue {
        var object: JSONObject = [
            "contribution": .string(draft.contribution), "datanet": .string(draft.manifest.datanet),
            "contributor": .string(draft.contributor), "state": .string(draft.state.rawValue), "rows_read": .int(Int64(draft.rowsRead)),
            "files": .array(
                draft.manifest.files.enumerated().map {
                    [
                        "name": .string($1.name), "bytes": .int(Int64($1.bytes)),
                        "upload": .string("/v1/contributions/\(draft.contribution)/files/\($0)"),
                    ]
                }),
        ]
        if let problem = draft.problem { object["problem"] = .string(problem) }
        return .object(object)
    }

    /// A contribution as it is shown, wherever it stands.
    func document(_ id: String) async throws -> JSONValue {
        // The draft first: one that is done by then is on the log, and the state has seen it.
        let draft = try await core.drafts.draft(id)
        if let settled = try await core.maker.find({ $0.contributions[id] }) { return Self.json(settled) }
        guard let draft else { throw IngestRefusal.noContribution(id) }
        return json(draft)
    }

    /// A contribution on the log as it is shown.
    static func json(_ contribution: ContributionState) -> JSONValue {
        let submitted = contribution.submitted
        var object: JSONObject = [
            "contribution": .string(submitted.contribution), "datanet": .string(submitted.datanet),
            "contributor": .string(submitted.contributor), "kind": .string(submitted.kind),
            "state": contribution.screened == nil ? "queued" : "done",
            "submitted": .string(contribution.time.description), "manifest": .string(submitted.manifest.prefixed),
            "signer": .string(submitted.signer), "signature": .string(submitted.signature), "items": .int(Int64(submitted.items)),
            "bytes": .int(Int64(submitted.bytes)), "withdrawn": json(contribution.withdrawn), "erased": json(contribution.erased),
        ]
        if let supersedes = submitted.supersedes { object["supersedes"] = .string(supersedes) }
        if let screened = contribution.screened {
            object["rules"] = .string(screened.rules)
            object["accepted"] = .int(Int64(screened.accepted))
            object["rejected"] = .int(Int64(screened.rejected))
        }
        return .object(object)
    }

    private static func json(_ items: ItemSet) -> JSONValue {
        switch items {
        case .all: "all"
        case .some(let items): .array(items.sorted().map { .string($0) })
        }
    }
}
