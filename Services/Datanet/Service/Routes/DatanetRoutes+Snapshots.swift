internal import Blobs
internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import EventLog
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Postgres
internal import ServiceShell
internal import Web

/// Published versions.
extension DatanetRoutes {
    var snapshotRoutes: [Route] { [publish, snapshots, numbered, snapshot, manifest, list, proof, diff, withdrawn, report] }

    private var publish: Route {
        command(
            "/v1/datanets/{id}/snapshots", operation: "publishSnapshot", summary: "Publishes the items that the Datanet has now.",
            body: .object(), gives: SnapshotPublished.self
        ) { context in
            let id = context.path["id"]
            let actor = try context.caller.subject
            return try await core.prepared {
                try await prepare(id, by: actor)
            } decide: { prepared in
                try await context.decide(core.maker, rule { try SnapshotRules.publish($0, id, prepared, $1) })
            }
        }
    }

    /// Computes root, list, manifest and shares, and keeps what is long as evidence before anything names them.
    private func prepare(_ id: String, by actor: String) async throws -> SnapshotRules.Prepared {
        let live = try await core.lists.live(id, core.maker)
        let (datanet, previous) = try await core.maker.query { state in
            try SnapshotRules.check(state, id, items: live.items.count, by: actor)
            let datanet = try state.datanet(id)
            return (datanet, datanet.snapshots.last.flatMap { state.snapshots[$0]?.published.root })
        }
        let tree = try SnapshotTree(live.items)
        let list = try tree.list()
        let digest = try await core.lists.evidence.put(canonical: list).hash
        let statistics = SnapshotStatistics(tree.items)
        let published = core.clock()
        let manifest = try CroissantManifest(
            datanet: datanet, number: datanet.snapshots.count + 1, root: tree.root, list: (digest, list.count), statistics: statistics,
            published: published, publisher: actor, previous: previous
        ).bytes()
        let (shares, long) = try AccessRules.shares(tree.items, of: id)
        if let long { _ = try await core.lists.evidence.put(canonical: long) }
        return SnapshotRules.Prepared(
            revision: live.revision, root: tree.root, list: digest, manifest: try await core.lists.evidence.put(canonical: manifest).hash,
            published: published, statistics: statistics, shares: shares)
    }

    private var snapshots: Route {
        read(
            "/v1/datanets/{id}/snapshots", operation: "snapshots", summary: "A Datanet's snapshots, newest first.",
            query: Page.parameters(),
            replies: [.json(200, "A page of snapshots.", Page.schema(.openObject()))]
        ) { context in
            try await page(
                context, list: "snapshots", newestFirst: true,
                """
                select id, number, root, list, manifest, items, tokens, owners, publisher, published, position
                from datanet.snapshots where datanet = $1
                """, [.text(context.path["id"])]
            ) { row in
                [
                    "snapshot": .string(try row.text("id")), "number": .int(try row.int("number")), "root": try Self.digest(row, "root"),
                    "list": try Self.digest(row, "list"), "manifest": try Self.digest(row, "manifest"), "items": .int(try row.int("items")),
                    "tokens": .int(try row.int("tokens")), "owners": .int(try row.int("owners")),
                    "publisher": .string(try row.text("publisher")), "published": try Self.date(row, "published"),
                    "position": .int(try row.int("position")),
                ]
            }
        }
    }

    private var numbered: Route {
        read("/v1/datanets/{id}/snapshots/{number}", operation: "numberedSnapshot", summary: "A Datanet's n-th snapshot.") { context in
            .json(try await found(context).published.json)
        }
    }

    private var snapshot: Route {
        read("/v1/snapshots/{snapshot}", operation: "snapshot", summary: "A snapshot, with its statistics.") { context in
            let snapshot = try await found(context)
            let tree = try await tree(snapshot)
            return .json([
                "snapshot": snapshot.published.json, "publisher": .string(snapshot.publisher),
                "statistics": SnapshotStatistics(tree.items).json,
            ])
        }
    }

    private var manifest: Route {
        read(
            "/v1/snapshots/{snapshot}/manifest", operation: "manifest", summary: "The manifest: Croissant 1.1 with PROV-O provenance.",
            replies: [.content(200, "JSON-LD.", type: "application/ld+json")]
        ) { context in
            let published = try await found(context).published
            return try await evidence(published.manifest, "application/ld+json; profile=\"http://mlcommons.org/croissant/1.1\"")
        }
    }

    private var list: Route {
        read(
            "/v1/snapshots/{snapshot}/list", operation: "snapshotList",
            summary: "The items in canonical order: what the root and the manifest's hash are of. No content.",
            replies: [.content(200, "A JSON array.", type: "application/json")]
        ) { context in
            let published = try await found(context).published
            return try await evidence(published.list, "application/json")
        }
    }

    /// Evidence never changes under its name.
    private func evidence(_ digest: Digest, _ type: String) async throws -> Response {
        let bytes = try await available { try await core.lists.evidence.bytes(digest) }
        return Response(
            headers: ["Content-Type": type, "Cache-Control": "public, max-age=31536000, immutable", "ETag": "\"\(digest.hex)\""],
            body: .bytes(bytes))
    }

    private var proof: Route {
        read(
            "/v1/snapshots/{snapshot}/proofs/{item}", operation: "itemProof",
            summary: "Shows that an item is under a snapshot's root (RFC 6962 inclusion proof)."
        ) { context in
            let snapshot = try await found(context)
            let tree = try await tree(snapshot)
            let item = context.path["item"]
            guard let index = tree.index(of: item) else {
                throw Problem(.notFound, "\(item) is not in \(snapshot.published.snapshot)", field: "item")
            }
            let proof = tree.proof(at: index)
            return .json([
                "item": tree.items[index].json, "index": .count(index), "size": .count(tree.items.count), "root": .digest(tree.root),
                "hashes": .array(proof.hashes.map { .digest($0) }),
            ])
        }
    }

    private var diff: Route {
        read(
            "/v1/snapshots/{snapshot}/diff/{other}", operation: "snapshotDiff", summary: "What the other snapshot has more and less.",
            query: Page.parameters(limit: 1...1_000)
        ) { context in
            let page = Page(context)
            let codec = CursorCodec(list: "snapshotDiff")
            let from = try page.cursor.map { try codec.decode($0) }.flatMap { Int($0.first ?? "") } ?? 0
            let old = try await found(context)
            let new = try await found(context.path["other"])
            guard old.published.datanet == new.published.datanet else {
                throw Problem(.unprocessable, "the snapshots are of two Datanets", field: "other")
            }
            let diff = SnapshotDiff(from: try await tree(old).items, to: try await tree(new).items)
            // Snapshots do not change, so a place in their difference stays one.
            let end = from + page.limit
            let next = end < max(diff.added.count, diff.removed.count) ? codec.encode([String(end)]) : nil
            func part(_ items: [AdmittedItem]) -> JSONValue { .array(items.dropFirst(from).prefix(page.limit).map(\.json)) }
            return .json(
                .members([
                    "from": .digest(old.published.root), "to": .digest(new.published.root), "kept": .count(diff.kept),
                    "added_count": .count(diff.added.count), "removed_count": .count(diff.removed.count),
                    "added": part(diff.added), "removed": part(diff.removed), "next": next.map { .string($0) },
                ]))
        }
    }

    private var withdrawn: Route {
        read(
            "/v1/snapshots/{snapshot}/withdrawn", operation: "withdrawnItems",
            summary: "Items of a snapshot that were withdrawn or erased since; later snapshots do not have them.",
            query: Page.parameters(limit: 1...10_000)
        ) { context in
            let page = Page(context, default: 10_000)
            let codec = CursorCodec(list: "withdrawnItems")
            let from = try page.cursor.map { try codec.decode($0) }.flatMap { Int($0.first ?? "") } ?? 0
            let snapshot = try await found(context)
            let tree = try await tree(snapshot)
            let gone = try await core.maker.query { state in tree.items.indices.filter { state.isDropped(tree.items[$0]) } }
            // More may be taken back between two pages: a page goes on behind an item of the snapshot, whose places stay.
            let left = gone.drop { $0 < from }
            let next = left.count > page.limit ? codec.encode([String(left[left.startIndex + page.limit])]) : nil
            return .json(
                .members([
                    "snapshot": .string(snapshot.published.snapshot), "count": .count(gone.count), "next": next.map { .string($0) },
                    "items": .array(
                        left.prefix(page.limit).map { place in
                            let item = tree.items[place]
                            return ["item": .string(item.item), "contribution": .string(item.contribution), "owner": .string(item.owner)]
                        }),
                ]))
        }
    }

    private var report: Route {
        read(
            "/v1/snapshots/{snapshot}/licences", operation: "snapshotLicences",
            summary: "The licence report: items, tokens and owners by licence and by language, and what was withdrawn since.",
            replies: [
                .json(
                    200, "The report.",
                    .openObject(
                        .required("snapshot", .openObject()), .required("domain", .text), .required("media", .text),
                        .required("admission", .text), .required("publisher", .text), .required("taken", .list(.text, atMost: 1_000)),
                        .required("whole", .openObject()), .required("licences", .list(.openObject(), atMost: 1_000_000)),
                        .required("languages", .list(.openObject(), atMost: 1_000_000)), .required("withdrawn", .openObject())))
            ]
        ) { context in
            let snapshot = try await found(context)
            let tree = try await tree(snapshot)
            let (datanet, report) = try await core.maker.query { state in
                (try state.datanet(snapshot.published.datanet), SnapshotReport(tree.items) { state.isDropped($0) })
            }
            var object: JSONObject = [
                "snapshot": snapshot.published.json, "domain": .string(datanet.domain), "media": .string(datanet.media),
                "admission": .string(datanet.policy.admission), "publisher": .string(snapshot.publisher),
                "taken": .texts(datanet.policy.licences),
            ]
            for member in report.json.objectValue?.members ?? [] { object[member.key] = member.value }
            return .json(.object(object))
        }
    }

    /// The snapshot that a path names, by its id or by its number within its Datanet.
    func found(_ context: RequestContext) async throws -> Snapshot {
        guard context.request.path.hasPrefix("/v1/datanets/") else { return try await found(context.path["snapshot"]) }
        return try await found(of: context.path["id"], number: try context.path.integer("number", in: 1...1_000_000_000))
    }

    /// A Datanet's snapshot by its number.
    func found(of id: String, number: Int) async throws -> Snapshot {
        try await core.maker.query { state in
            let snapshots = try state.datanet(id).snapshots
            guard number <= snapshots.count, let snapshot = state.snapshots[snapshots[number - 1]] else {
                throw Problem(.notFound, "\(id) has \(snapshots.count) snapshots", field: "number")
            }
            return snapshot
        }
    }

    private func found(_ id: String) async throws -> Snapshot {
        try await core.maker.query { state in
            guard let snapshot = state.snapshots[id] else { throw Problem(.notFound, "there is no snapshot \(id)", field: "snapshot") }
            return snapshot
        }
    }

    func tree(_ snapshot: Snapshot) async throws -> SnapshotTree {
        try await available { try await core.lists.snapshot(snapshot.published.list, count: snapshot.published.items) }
    }

    /// Evidence that can't be had now is no fault of the caller's.
    func available<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as BlobError {
            throw Problem(.unavailable, "the evidence can't be read: \(error)", headers: ["Retry-After": "5"])
        }
    }
}
