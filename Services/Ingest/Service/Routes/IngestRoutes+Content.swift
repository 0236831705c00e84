internal import Blobs
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import IngestDomain
internal import IngestParsing
internal import JSON
internal import Web

/// The content of items, and what it says of itself.
extension IngestRoutes {
    var contentRoutes: [Route] { [content, metadata, manifest] }

    private var content: Route {
        Route(
            .get, "/v1/contributions/{contribution}/items/{item}/content", operation: "getItemContent",
            summary: "The content of an item, for its contributor and its author, and for services that work on it.",
            access: .authenticated, path: ["contribution": Self.id, "item": Self.id],
            replies: [.json(200, "The content; images and recordings come as they are.", .any)], problems: Self.problems
        ) { [self] context in
            let found = try await item(context)
            let type = found.isText ? "application/json" : try await facts(found)?.type ?? "application/octet-stream"
            let bytes = try await readable(found) {
                try await core.content.content(owner: found.place.owner, commitment: found.place.commitment)
            }
            return Response(
                headers: ["Content-Type": type, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"], stream: bytes)
        }
    }

    private var metadata: Route {
        Route(
            .get, "/v1/contributions/{contribution}/items/{item}/metadata", operation: "getItemMetadata",
            summary: "What an image or a recording is by its content: format, size, sample rate, duration.", access: .authenticated,
            path: ["contribution": Self.id, "item": Self.id],
            replies: [
                .json(200, "The metadata.", .openObject(.required("format", .text), .required("type", .text), .required("bytes", .count)))
            ], problems: Self.problems
        ) { [self] context in
            let found = try await item(context)
            guard !found.isText, let facts = try await facts(found), var object = facts.json.objectValue else {
                throw Problem(.notFound, "\(found.id) is no image and no recording")
            }
            let count = try await readable(found) {
                try await core.content.count(owner: found.place.owner, commitment: found.place.commitment)
            }
            object["bytes"] = .count(count)
            return .json(.object(object))
        }
    }

    private var manifest: Route {
        Route(
            .get, "/v1/contributions/{contribution}/manifest", operation: "getManifest",
            summary:
                "The manifest, the very bytes that were signed: for its contributor, for owners and curators of the Datanet, and for services.",
            access: .authenticated, path: ["contribution": Self.id],
            replies: [.json(200, "The bytes that the event's hash and signature are over.", .any)], problems: Self.problems
        ) { [self] context in
            let id = context.path["contribution"]
            let caller = try context.caller
            let found = try await core.maker.query { state in
                state.contributions[id].map { contribution in
                    (contribution, state.datanets[contribution.submitted.datanet]?.isOfficer(caller.subject) == true)
                }
            }
            guard let (contribution, isOfficer) = found else { throw IngestRefusal.noContribution(id) }
            let submitted = contribution.submitted
            guard isOfficer || caller.subject == submitted.contributor || Self.mayRead(caller) else {
                throw IngestRefusal.noContribution(id)
            }
            guard let sealed = submitted.sealed else { throw Problem(.notFound, "the manifest of \(id) was not kept") }
            let bytes: BlobBytes
            do { bytes = try await core.content.content(owner: submitted.contributor, commitment: sealed) } catch let error as BlobError {
                guard Self.isGone(error) else { throw error }
                throw IngestRefusal.erased(submitted.contributor)
            }
            return Response(
                headers: ["Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"],
                stream: bytes)
        }
    }

    /// Whether a caller reads anybody's content: services that work on it, whose accesses stand on the log, and no person, whatever their token says.
    private static func mayRead(_ caller: Caller) -> Bool { caller.kind == .service && caller.has("content:read") }

    private static func isGone(_ error: BlobError) -> Bool {
        switch error {
        case .erased, .notFound, .noKey: true
        default: false
        }
    }

    /// An item whose content the caller may have.
    struct Found {
        let id: String
        let contribution: ContributionState
        let place: ItemPlaces.Place
        /// A text, or the note on a row that could not be read.
        let isText: Bool
    }

    /// The item that a path names, where the caller may have its content.
    func item(_ context: RequestContext) async throws -> Found {
        let (id, name) = (context.path["contribution"], context.path["item"])
        let caller = try context.caller
        let found = try await core.maker.query { state in
            state.contributions[id].map { ($0, state.datanets[$0.submitted.datanet]?.media) }
        }
        guard let (contribution, media) = found else { throw IngestRefusal.noContribution(id) }
        let place = try await core.places.place(of: name, in: contribution)
        let author = place?.owner ?? ""
        let isOwn = try await core.maker.query { $0.disposes(caller.subject, of: author) }
        guard caller.subject == contribution.submitted.contributor || isOwn || Self.mayRead(caller) else {
            throw IngestRefusal.noContribution(id)
        }
        guard let place else { throw IngestRefusal.noItem(name) }
        guard !contribution.erased.contains(name) else { throw IngestRefusal.erased(place.owner) }
        return Found(id: name, contribution: contribution, place: place, isText: media == "text" || place.isNote)
    }

    private func facts(_ found: Found) async throws -> MediaFacts? {
        try await readable(found) {
            let (owner, commitment) = (found.place.owner, found.place.commitment)
            let count = try await core.content.count(owner: owner, commitment: commitment)
            func part(_ range: Range<Int>) async throws -> [UInt8] {
                try await core.content.content(owner: owner, commitment: commitment, range: range).collect(upTo: range.count)
            }
            var sample = FileSample(
                head: try await part(0..<min(count, FileSample.most)), tail: try await part(max(0, count - FileSample.most)..<count),
                count: count)
            for _ in 0..<MediaFacts.mostParts {
                guard let range = MediaFacts.missingPart(of: sample) else { break }
                sample.add(try await part(range), at: range.lowerBound)
            }
            return MediaFacts(sample)
        }
    }

    /// What is gone for ever is said to be so.
    func readable<Value>(_ found: Found, _ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as BlobError {
            switch error {
            case .erased, .notFound, .noKey: throw IngestRefusal.erased(found.place.owner)
            default: throw error
            }
        }
    }
}
